// Runs and points in words, and the sentence that says what one sees.
import { facts } from "../shared/facts.js";
import { number } from "../shared/format.js";

const NEAR = 5e-5; // a gap that four digits cannot show

/** A run by its method and the numbers that it was given: "DPO, β = 0.1". */
export function named(run) {
  const { title, settings } = facts.methods[run.method];
  const said = settings
    .filter((s) => typeof run.settings[s.key] === "number")
    .map((s) => `${s.label} = ${run.settings[s.key]}`);
  return [title, ...said].join(", ");
}

/** Where a run stands at a place among the kept steps; one that overflowed stays where it ended. */
export function standing(run, place) {
  const i = Math.min(Math.round(place), run.kl.length - 1);
  return { step: run.steps[i], kl: run.kl[i], reward: run.reward[i], below: run.below[i] };
}

export const gap = (below) =>
  below < NEAR ? "on the exact frontier" : `${number(below, 4)} below the exact frontier`;

/** What a point under the pointer says, a line each. */
export function described(hit) {
  if (hit.best) {
    const { n, kl, reward, win_rate, below } = hit.best;
    return [
      `Best of ${n}`,
      `KL ${number(kl)} nats, reward ${number(reward)}, ${gap(below)}`,
      `beats a reply of the reference in ${(100 * win_rate).toFixed(1)} % of draws`,
    ];
  }
  if (hit.exact) {
    const { beta, kl, reward } = hit.exact;
    return [`π* at β = ${Number(beta.toPrecision(4))}`, `KL ${number(kl)} nats, reward ${number(reward)}`];
  }
  const { run, index } = hit;
  const at = standing(run, index);
  return [
    named(run),
    `step ${at.step} of ${run.total}${run.overflows && index >= run.kl.length - 1 ? ", then its numbers overflow" : ""}`,
    `KL ${number(at.kl)} nats, reward ${number(at.reward)}, ${gap(at.below)}`,
  ];
}

const many = (count, one, more) => `${count} ${count === 1 ? one : more}`;

/** One sentence about all runs at a place; one that has left float64 by then stands nowhere. */
export function verdict(page, runs, place) {
  if (!runs.length)
    return "The line is exact: reward that no policy of this world exceeds at its KL. Runs of methods come below it.";
  const at = Math.round(place);
  const step = page.kept[at];
  if (step === 0)
    return `At step 0 all ${runs.length} runs are the reference: KL 0 nats, reward ${number(page.start.reward)}.`;
  const alive = runs.filter((run) => !run.overflows || at < run.kl.length);
  const lost = runs.length - alive.length;
  const gone = lost ? `; ${many(lost, "run has", "runs have")} overflowed before` : "";
  if (!alive.length) return `At step ${step} no run is left${gone}.`;
  const all = alive.map((run) => ({ run, ...standing(run, place) }));
  const best = all.reduce((a, b) => (b.reward > a.reward ? b : a));
  const worse = all.filter(({ reward }) => reward < page.start.reward - NEAR).length;
  const share = `${worse} of ${many(runs.length, "run", "runs")} ${worse === 1 ? "earns" : "earn"}`;
  const poor = worse ? `; ${share} less than the reference` : "";
  const where = `${number(best.reward)} for ${number(best.kl)} nats, ${gap(best.below)}`;
  return `At step ${step} the most reward has ${named(best.run)}: ${where}${poor}${gone}.`;
}

/** What the tangent says. */
export function slopeWords({ beta, kl, reward }) {
  const slope = Number(beta.toPrecision(3));
  return `π* here: KL ${number(kl)} nats, reward ${number(reward)}; one more nat buys at most ${slope} more reward.`;
}
