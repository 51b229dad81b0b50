// What the marks of the bars mean: those that are on screen.
import { h } from "../shared/dom.js";
import { term } from "../shared/terms.js";
import { LOOKS, swatch } from "./compare.js";

export function legend(app) {
  const entry = (kind, ...text) => h("span", { class: `key ${kind}` }, h("i"), ...text);
  const optimum = entry("optimum", term("optimum", "optimum of these labels"));
  const others = h("span", { class: "others" });
  const group = (...keys) => h("span", { class: "others" }, keys);
  const disc = (kind, sign, ...text) => h("span", { class: `key pair ${kind}` }, h("i", {}, sign), ...text);
  const learned = entry("learned", term("learned_reward", "learned reward"));
  const labels = {
    comparisons: group(disc("", "+", "chosen"), disc("rejected", "−", "rejected, click a pair to flip it")),
    rankings: group(disc("", "1", "best of a ", term("ranking", "ranking"), ", click it to reverse it")),
    thumbs: group(
      disc("", "↑", "liked"),
      disc("rejected", "↓", "not liked, click a ", term("thumb", "thumb"), " to turn it"),
    ),
  };
  const root = h(
    "div",
    { class: "legend" },
    entry("policy", term("policy", "policy π")),
    entry("reference", term("reference", "reference")),
    optimum,
    learned,
    others,
    Object.values(labels),
  );
  return {
    root,
    update(run) {
      learned.hidden = !run.rows.has("reward_of/0");
      Object.entries(labels).forEach(([kind, key]) => {
        key.hidden = !run.segments[0][kind].length;
      });
      others.replaceChildren(
        ...run.others.map((other, i) => h("span", { class: "key ghost" }, swatch(LOOKS[i]), other.name)),
      );
    },
    seek(step) {
      optimum.hidden = !app.run.segmentAt(step).optimum;
    },
  };
}
