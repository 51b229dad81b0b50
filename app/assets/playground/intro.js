// What this page is, in one sentence, with the ways in: play, the first lesson, a tour.
import { h, maths } from "../shared/dom.js";
import { facts, presets } from "../shared/facts.js";
import { icon } from "../shared/icons.js";

const SENTENCE =
  "Direct Preference Optimization trains a language model on pairs of replies, one chosen and one rejected, " +
  "without a reward model. Play a run, flip a label or move β, and see where the probability goes.";

// What to watch: the preset's sentence, unless another method has taken over since.
export function sentence(run) {
  const own = !run.interventions.some((change) => change.objective);
  const said = own && presets.find((p) => p.key === run.preset)?.watch;
  return said || "Play it, flip a pair, move β: the run goes on from that very step.";
}

export function intro(app) {
  const play = h(
    "button",
    { type: "button", class: "primary", onclick: () => app.play() },
    icon("play"),
    "Play",
  );
  const said = h("p", {}, SENTENCE);
  const watch = h("p", { class: "watch" });
  const root = h(
    "div",
    { class: "intro" },
    h("h1", {}, "DPO Lab"),
    said,
    watch,
    h(
      "div",
      { class: "ways" },
      play,
      h("a", { class: "button", href: `lessons?lesson=${facts.first_lesson}` }, "Lesson 1"),
      h("button", { type: "button", class: "tour-opener", onclick: () => app.tour.open() }, "Tour"),
    ),
  );
  return {
    root,
    update(run) {
      watch.replaceChildren(...maths(sentence(run)));
    },
    seek(step) {
      watch.hidden = !(app.view.played || step > 0);
      play.hidden = said.hidden = !watch.hidden;
    },
  };
}
