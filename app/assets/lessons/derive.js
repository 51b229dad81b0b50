// A derivation that unfolds line by line; each line names its rule.
import { h } from "../shared/dom.js";
import { html } from "./contents.js";
import { texTo } from "./maths.js";
import { symbolKeys } from "./symbols.js";

export function derivation(app, block) {
  const lines = block.steps.map((step, i) => {
    const formula = h("div", {
      class: "l-formula",
      tabindex: "0",
      role: "group",
      "aria-label": `Line ${i + 1}`,
    });
    texTo(formula, step.tex, true);
    return h(
      "li",
      { class: "l-line" },
      formula,
      html("p", { class: "l-rule" }, step.rule),
      step.note ? html("p", { class: "l-note" }, step.note) : null,
    );
  });
  let shown = 1;
  const say = h("span", { class: "hint", role: "status" });
  const button = (text, label, action) =>
    h("button", { type: "button", "aria-label": label, onclick: action }, text);
  const back = button("◂", "Hide the last line", () => step(-1));
  const next = button("Next line ▸", "Show the next line", () => step(1));
  const all = button("All", "Show all lines", () => step(lines.length));

  function step(by) {
    const before = shown;
    shown = Math.min(lines.length, Math.max(1, shown + by));
    lines.forEach((line, i) => {
      line.classList.toggle("unfolded", i < shown);
      line.firstElementChild.tabIndex = i < shown ? 0 : -1;
      line.toggleAttribute("data-last", i === shown - 1);
    });
    say.textContent = `line ${shown} of ${lines.length}`;
    back.disabled = shown === 1;
    next.disabled = all.disabled = shown === lines.length;
    if (shown > before && root.isConnected && !root.closest("dialog"))
      lines[shown - 1].scrollIntoView({ block: "nearest" });
    return shown !== before;
  }

  const root = h(
    "section",
    {
      class: "l-derive",
      "aria-label": "Derivation",
      tabindex: "0",
      onkeydown: (event) => {
        if (event.target !== root && !event.target.classList.contains("l-formula")) return;
        const by = {
          ArrowRight: 1,
          ArrowDown: 1,
          Enter: 1,
          " ": 1,
          ArrowLeft: -1,
          ArrowUp: -1,
          End: lines.length,
          Home: -lines.length,
        }[event.key];
        if (by && step(by)) {
          event.preventDefault();
          event.stopPropagation();
        }
      },
    },
    h(
      "div",
      { class: "l-derive-head" },
      html("h3", {}, block.title),
      h("span", { class: "l-step" }, say, back, next, all),
    ),
    h("ol", {}, lines),
  );
  // A projector has no scroll bar: a line that is too wide is set smaller, down to a readable size.
  const fit = () =>
    lines.forEach(({ firstElementChild: formula }) => {
      formula.style.fontSize = "";
      const share = formula.clientWidth / formula.scrollWidth;
      if (share < 1) formula.style.fontSize = `max(16px, ${Math.max(0.6, 0.99 * share)}em)`;
    });
  new ResizeObserver(fit).observe(root.querySelector("ol"));
  const keys = symbolKeys(root, app.index.glossary);
  if (keys) root.append(keys);
  step(0);
  root.stepper = { next: () => step(1), back: () => step(-1) };
  return root;
}
