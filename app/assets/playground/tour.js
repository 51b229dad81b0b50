// Four steps around the page that one can leave at any time and open again.
import { h, maths } from "../shared/dom.js";

const STEPS = [
  [
    ".prompts",
    "What the model would say",
    "Each green bar is the policy's probability of a reply; the grey tick is the reference, where training starts.",
  ],
  [
    ".transport",
    "Let it train",
    "Play trains step by step; drag the slider to any step and back. Nothing you do can break it: Undo takes back everything.",
  ],
  [
    ".lane",
    "Change the data",
    "A lane joins the two replies of a pair: + was chosen, − rejected. Click a lane to flip its label, also while it plays.",
  ],
  [
    ".controls",
    "Change the method",
    "β sets how closely the policy is held to the reference; another method trains by another loss. The plots go on from that very step.",
  ],
];

export function tour(app) {
  let at = 0;
  const title = h("h2", {});
  const text = h("p", {});
  const count = h("span", { class: "hint" });
  const button = (name, action, extra = "") =>
    h("button", { type: "button", class: extra, onclick: action }, name);
  const back = button("Back", () => go(at - 1));
  const next = button("Next", () => go(at + 1), "primary");
  const root = h(
    "section",
    { class: "tour", "aria-label": "Tour", tabindex: "-1", hidden: true },
    title,
    text,
    h("p", { class: "ways" }, count, back, next, button("Leave", close)),
  );
  root.addEventListener("keydown", (event) => event.key === "Escape" && close());
  const unmark = () => app.root.querySelectorAll(".toured").forEach((n) => n.classList.remove("toured"));

  function go(to) {
    if (to >= STEPS.length) {
      close();
      return;
    }
    at = Math.max(0, to);
    const [where, name, words] = STEPS[at];
    title.textContent = name;
    text.replaceChildren(...maths(words));
    count.textContent = `${at + 1} of ${STEPS.length}`;
    back.hidden = at === 0;
    next.textContent = at + 1 === STEPS.length ? "Done" : "Next";
    unmark();
    const target = app.root.querySelector(where);
    target?.classList.add("toured");
    target?.scrollIntoView({ block: "nearest" });
  }

  function close() {
    root.hidden = true;
    unmark();
    app.root.querySelector(".tour-opener")?.focus();
  }

  return {
    root,
    open() {
      root.hidden = false;
      go(0);
      root.focus();
    },
  };
}
