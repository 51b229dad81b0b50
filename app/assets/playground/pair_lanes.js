// The pairs as lanes beside the bars: "+" at the chosen reply, "−" at the rejected one. A click flips a pair.
import { h } from "../shared/dom.js";
import { share, short } from "../shared/format.js";

export const pairName = (run, [prompt, chosen, rejected], i, most = 34) => {
  const { replies } = run.prompts[prompt];
  return `Pair ${i + 1}: “${short(replies[chosen], most)}” beats “${short(replies[rejected], most)}”`;
};

export function lane(app, i) {
  const arrow = h("span", { class: "arrow" });
  const node = h(
    "button",
    { type: "button", class: "lane", "data-pair": i, onclick: () => app.flip(i) },
    h("span", { class: "end top" }),
    arrow,
    h("span", { class: "name" }, String(i + 1)),
    h("span", { class: "end bottom" }),
  );
  return node;
}

/** Puts a lane beside the two replies that its pair joins now. */
export function showPair(node, run, pair, i) {
  const [, chosen, rejected, agreement] = pair;
  node.style.setProperty("--first", Math.min(chosen, rejected));
  node.style.setProperty("--span", Math.abs(chosen - rejected));
  node.classList.toggle("up", chosen < rejected);
  node.classList.toggle("soft", agreement < 1);
  const divided = agreement < 1 ? ` (${share(agreement)} agree)` : "";
  node.title = `${pairName(run, pair, i, 200)}${divided}. Click to flip.`;
  node.setAttribute("aria-label", node.title);
}
