// The fixed colour and dash of each method, by its place among the methods; safe for colour-blind eyes.
import { facts } from "./facts.js";
import { svg } from "./svg.js";

// On a light and on a dark page (Okabe–Ito and two between); a dash tells those of one colour apart.
const INKS = [
  ["#0072b2", "#56b4e9"],
  ["#c44e00", "#ff8f45"],
  ["#00805e", "#2cc295"],
  ["#6d3fc0", "#b79cf5"],
  ["#8a5a00", "#e0b04a"],
  ["#007c91", "#4fd0e3"],
  ["#b3003c", "#ff7d9c"],
];
const DASHES = [null, [7, 4], [2, 3], [10, 3, 2, 3], [4, 2, 1, 2]];

/** @param {string} name  a method  @returns {{ ink: string, dash: number[] | null }} */
export function lookOf(name, dark = false) {
  const place = Math.max(0, Object.keys(facts.methods).indexOf(name));
  return {
    ink: INKS[place % INKS.length][Number(dark)],
    dash: DASHES[Math.floor(place / INKS.length) % DASHES.length],
  };
}

/** A short line as the method is drawn. */
export function methodSwatch(name, dark = false) {
  const { ink, dash } = lookOf(name, dark);
  const line = { x1: 0, x2: 26, y1: 5, y2: 5, stroke: ink, "stroke-width": 2.5 };
  return svg(
    "svg",
    { class: "look", width: 26, height: 10, viewBox: "0 0 26 10", "aria-hidden": "true" },
    svg("line", { ...line, "stroke-dasharray": dash?.join(" ") }),
  );
}
