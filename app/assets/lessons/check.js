// A live check: the reader's own numbers go to the core, both sides of the claim come back.
import { h, maths } from "../shared/dom.js";
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

// Both sides of the claim as the core last computed them.
function sidesView() {
  const root = h("dl", { class: "l-sides" });
  let drawn = "";
  return {
    root,
    show({ left, right, left_label, right_label, rows }) {
      const values = [sideText(left), sideText(right), ...rows.map(([, value]) => exact(value))];
      const labels = [left_label, right_label, ...rows.map(([label]) => label)];
      if (drawn === JSON.stringify(labels)) {
        [...root.querySelectorAll("dd")].forEach((node, i) => {
          node.textContent = values[i];
        });
        return;
      }
      drawn = JSON.stringify(labels); // the labels hold maths: drawn anew only when they change
      root.replaceChildren(
        ...labels.flatMap((label, i) => {
          const kind = ["left", "right"][i] ?? "more";
          const long = values[i].startsWith("(") ? `${kind} long` : kind;
          return [html("dt", { class: long }, label), h("dd", { class: long }, values[i])];
        }),
      );
      drawMath(root);
    },
  };
}

// The suite's own mistakes, one at a time: the claim must turn false.
function breaking(labels, changed) {
  let mutant = null;
  const buttons = labels.map((label) =>
    h(
      "button",
      {
        type: "button",
        class: "small",
        "aria-pressed": "false",
        onclick: () => choose(mutant === label ? null : label),
      },
      maths(label),
    ),
  );
  function choose(label) {
    mutant = label;
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(labels[i] === label)));
    changed();
  }
  const root = h(
    "div",
    { class: "l-break", role: "group", "aria-label": "Break it: build in a mistake" },
    h("span", { class: "l-break-tag" }, "Break it:"),
    buttons,
  );
  return { root, choose, mutant: () => mutant };
}

export function checkPanel(app, check) {
  const id = `check-${(count += 1)}`;
  const changed = () => {
    const values = Object.fromEntries(controls.map((one) => [one.name, one.value]));
    app.server.ask(id, { check: check.key, values, mutant: mistakes.mutant() }, show);
  };
  const controls = check.controls.map((control, i) =>
    makeControl[control.kind](control, `${id}-${i}`, changed),
  );
  const mistakes = breaking(check.mutants, changed);
  const sides = sidesView();
  const verdict = h("output", { class: "l-verdict" });
  const reset = () => {
    controls.forEach((one) => one.reset());
    mistakes.choose(null);
  };

  function show(result) {
    root.dataset.answers = String(Number(root.dataset.answers ?? 0) + 1);
    if (result.error) {
      verdict.textContent = result.error;
      root.dataset.holds = "error";
      return;
    }
    sides.show(result);
    const mutant = mistakes.mutant();
    const words =
      `left ${SIGNS[check.relation]} right ${result.holds ? "✓" : "✗ does not hold"} · ` +
      `difference ${brief(result.difference)}${mutant ? ` · broken on purpose: ${mutant}` : ""}`;
    verdict.replaceChildren(...maths(words));
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
      controls.length ? h("button", { type: "button", class: "small", onclick: reset }, "Reset") : null,
    ),
    html("p", { class: "l-claim" }, check.claim),
    controls.map((control) => control.node),
    sides.root,
    verdict,
    mistakes.root,
  );
  show(check.result);
  root.dataset.answers = "0";
  return root;
}
