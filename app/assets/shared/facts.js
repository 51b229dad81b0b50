// What Python decides and scripts need to know (app/facts.py), and the presets.
import { fetchJson } from "./dom.js";

/** @type {import("./types.d.ts").Facts} */
export let facts;
/** @type {{ key: string, name: string, watch: string, view: { pair: number | null, plots: string[], stops: [number, string][] } }[]} */
export let presets;

export function know(served, shelf = []) {
  facts = served;
  presets = shelf;
}

export async function loadFacts() {
  const paths = ["../facts.json", "../presets.json"];
  const [served, shelf] = await Promise.all(paths.map((path) => fetchJson(new URL(path, import.meta.url))));
  know(served, shelf);
}
