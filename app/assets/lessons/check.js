// A live check: the reader's own numbers go to the core, both sides of the claim come back.
import { h } from "../shared/dom.js";
import { html } from "./contents.js";
import { drawMath } from "./maths.js";

const SIGNS = { "=": "=", "<=": "≤", ">=": "≥", "<": "<", ">": ">" };
const STOPS = 200; // positions of a slider without a step of its own
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
const neat = (x) => Number(x.toPrecision(4));

function slider(control, id, changed) {
  const { low, high, log, step } = control;
  const toValue = (p) =>
    log ? neat(low * (high / low) ** (p / STOPS)) : step ? p : neat(low + (high - low) * (p / STOPS));
  const toPlace = (v) =>
    log ? (STOPS * Math.log(v / low)) / Math.log(high / low) : step ? v : (STOPS * (v - low)) / (high - low);
  let value = control.default;
  const say = () => range.setAttribute("aria-valuetext", `${value}${control.unit ? ` ${control.unit}` : ""}`);
  const range = h("input", {
    type: "range",
    id,
    min: step && !log ? low : 0,
    max: step && !log ? high : STOPS,
    step: step && !log ? step : 1,
    oninput: () => {
      set(Math.min(high, Math.max(low, toValue(Number(range.value)))));
      changed();
    },
  });
  const exactBox = h("input", {
    type: "number",
    class: "l-exact",
    min: low,
    max: high,
    step: "any",
    "aria-labelledby": `${id}-label`,
    onchange: () => {
      const typed = exactBox.valueAsNumber;
      set(Number.isFinite(typed) ? Math.min(high, Math.max(low, typed)) : value);
      changed();
    },
  });
  function set(next) {
    value = next;
    range.value = toPlace(value);
    exactBox.value = value;
    say();
  }
  set(control.default);
  return {
    name: control.name,
    get value() {
      return value;
    },
    set,
    reset: () => set(control.default),
    node: h(
      "div",
      { class: "l-control" },
      html("label", { for: id, id: `${id}-label` }, control.label),
      range,
      h("span", { class: "l-number-unit" }, exactBox, control.unit && h("small", {}, control.unit)),
    ),
  };
}

function choice(control, id, changed) {
  const select = h(
    "select",
    { id, onchange: changed },
    control.options.map((option) => h("option", { value: option }, option)),
  );
  const reset = () => {
    select.value = control.default;
  };
  reset();
  return {
    name: control.name,
    get value() {
      return select.value;
    },
    set() {},
    reset,
    node: h("div", { class: "l-control" }, html("label", { for: id }, control.label), select),
  };
}

export function checkPanel(app, check) {
  const id = `check-${(count += 1)}`;
  const changed = () =>
    app.server.ask(
      id,
      { check: check.key, values: Object.fromEntries(controls.map((c) => [c.name, c.value])) },
      show,
    );
  const controls = check.controls.map((control, i) =>
    (control.slider ? slider : choice)(control, `${id}-${i}`, changed),
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
        changed();
      },
    },
    "Reset",
  );
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
      `difference ${brief(result.difference)}`;
    root.dataset.holds = String(result.holds);
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
  );
  show(check.result);
  root.dataset.answers = "0";
  return root;
}
