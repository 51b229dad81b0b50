// How a run is looked at: what its preset asks for, unless the link or the visitor asks for something else.
import { facts, presets } from "../shared/facts.js";

const NONE = { pair: null, plots: [], stops: [] };

/** The view that a run's preset carries; its own worlds have none. */
export const presetView = (run) => presets.find((p) => p.key === run.preset)?.view ?? NONE;

// How hard a pair pulls, as the method in force at first reads it.
const weight = (run) => {
  const [first] = facts.methods[run.segments[0].objective.name].readings;
  return first ? first.key : "pull";
};

/** The keys of the plots to show: "all", those asked for, the preset's, or implicit reward, weight and KL. */
export function plotKeys(run, asked) {
  if (asked === "all") return null;
  if (asked) return asked.split(",");
  const { plots } = presetView(run);
  return plots.length ? plots : ["rewards", weight(run) === "sigma_weight" ? "sigma" : weight(run), "kl"];
}

/** The pair and the plots that the address asks for. */
export function askedFor(run) {
  const query = new URLSearchParams(location.search);
  const pair = query.has("pair") ? Number(query.get("pair")) : (presetView(run).pair ?? 0);
  const known = Number.isInteger(pair) && pair > 0 && pair <= run.segments[0].comparisons.length;
  return { selected: known ? pair - 1 : null, plots: query.get("plots") ?? "" };
}

/** The view as a piece of a link: only what differs from the preset's. */
export function viewQuery(run, { selected, plots }) {
  const own = (presetView(run).pair ?? 0) - 1;
  const pair = (selected ?? -1) === own ? "" : `&pair=${(selected ?? -1) + 1}`;
  return pair + (plots ? `&plots=${plots}` : "");
}

/** The question that waits between two steps of a run that plays, and where. */
export const stopBetween = (run, before, after) =>
  presetView(run).stops.find(([step]) => before < step && step <= after && step < run.steps);
