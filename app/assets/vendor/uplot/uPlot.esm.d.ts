// For the type checker only: the vendored script has the types of the package it was copied from.
export { default } from "uplot";
