// A live check: the reader's own numbers go to the core, both sides of the claim come back.
import { h } from "../shared/dom.js";
import { html } from "./contents.js";
import { makeControl } from "./controls.js";
import { drawMath } from "./maths.js";

const SIGNS = { "=": "=", "<=": "≤", ">=": "≥", "<": "<", ">": ">" };
let count = 0;

const minus = (text) => text.replace(/-/g, "−");
export const exact = (x) => {
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size < 1e-4 || size >= 1e7)
    return minus(
      x
        .toExponential(9)
        .replace(/\.?0+e/, "e")
        .replace("e+", "e"),
    );
  return minus(Number.isInteger(x) ? String(x) : x.toPrecision(10));
};
const brief = (x) =>
  x === 0
    ? "0"
    : minus(
        Math.abs(x) < 1e-3 || Math.abs(x) >= 1e5 ? x.toExponential(1).replace("e+", "e") : x.toPrecision(4),
      );
const sideText = (side) =>
  Array.isArray(side) ? `(${side.map((x) => minus(x.toPrecision(6))).join(", ")})` : exact(side);

export function checkPanel(app, check) {
  const id = `check-${(count += 1)}`;
  const changed = () =>
    app.server.ask(
      id,
      { check: check.key, values: Object.fromEntries(controls.map((c) => [c.name, c.value])), mutant },
      show,
    );
  const controls = check.controls.map((control, i) =>
    makeControl[control.kind](control, `${id}-${i}`, changed),
  );
  const sides = h("dl", { class: "l-sides" });
  const verdict = h("output", { class: "l-verdict" });
  const reset = h(
    "button",
    {
      type: "button",
      class: "small",
      onclick: () => {
        controls.forEach((c) => c.reset());
        breakIt(null);
      },
    },
    "Reset",
  );
  // The suite's own mistakes, one at a time: the claim must turn false.
  let mutant = null;
  const mistakes = check.mutants.map((label) =>
    h(
      "button",
      {
        type: "button",
        class: "small",
        "aria-pressed": "false",
        onclick: () => breakIt(mutant === label ? null : label),
      },
      label,
    ),
  );
  function breakIt(label) {
    mutant = label;
    mistakes.forEach((button) => button.setAttribute("aria-pressed", String(button.textContent === label)));
    changed();
  }
  const labels = { words: "" };

  function show(result) {
    root.dataset.answers = String(Number(root.dataset.answers ?? 0) + 1);
    if (result.error) {
      verdict.textContent = result.error;
      root.dataset.holds = "error";
      return;
    }
    const values = [
      sideText(result.left),
      sideText(result.right),
      ...result.rows.map(([, value]) => exact(value)),
    ];
    const words = JSON.stringify([
      result.left_label,
      result.right_label,
      result.rows.map(([label]) => label),
    ]);
    if (words === labels.words)
      [...sides.querySelectorAll("dd")].forEach((node, i) => {
        node.textContent = values[i];
      });
    else {
      labels.words = words; // the labels hold maths: drawn anew only when they change
      sides.replaceChildren(
        ...[
          [result.left_label, "left"],
          [result.right_label, "right"],
          ...result.rows.map(([label]) => [label, "more"]),
        ].flatMap(([label, kind], i) => {
          const long = values[i].startsWith("(") ? `${kind} long` : kind;
          return [html("dt", { class: long }, label), h("dd", { class: long }, values[i])];
        }),
      );
      drawMath(sides);
    }
    verdict.textContent =
      `left ${SIGNS[check.relation]} right ${result.holds ? "✓" : "✗ does not hold"} · ` +
      `difference ${brief(result.difference)}${mutant ? ` · broken on purpose: ${mutant}` : ""}`;
    root.dataset.holds = String(result.holds);
    root.classList.toggle("broken", Boolean(mutant));
  }

  const root = h(
    "section",
    { class: "l-check", "aria-label": "Live check", "data-check": check.key },
    h(
      "p",
      { class: "l-check-head" },
      h("span", { class: "l-tag" }, "Check it"),
      h("small", {}, check.equation),
      controls.length ? reset : null,
    ),
    html("p", { class: "l-claim" }, check.claim),
    controls.map((control) => control.node),
    sides,
    verdict,
    h(
      "div",
      { class: "l-break", role: "group", "aria-label": "Break it: build in a mistake" },
      h("span", { class: "l-break-tag" }, "Break it:"),
      mistakes,
    ),
  );
  show(check.result);
  root.dataset.answers = "0";
  return root;
}
