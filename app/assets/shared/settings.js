// A setting as a person changes it: a slider on a log or linear scale with a field beside it, or a switch.
import { h, holding } from "./dom.js";
import { numeric, tidy } from "./format.js";
import { term } from "./terms.js";

/** From a value to a slider's position and back. */
export const SCALES = {
  log: { position: Math.log10, value: (at) => tidy(10 ** at), step: () => 0.01 },
  whole: { position: (x) => x, value: Math.round, step: () => 1 },
  linear: { position: (x) => x, value: tidy, step: (low, high) => tidy((high - low) / 200) },
};

/** @param {import("./types.d.ts").Setting} spec */
const named = ({ term: key, label }) => (key ? term(key, label) : label);

/**
 * @param {import("./types.d.ts").Setting} spec
 * @param {import("./types.d.ts").InForce} use
 */
function slider(spec, use) {
  const { label, low, high } = spec;
  const scale = SCALES[spec.scale];
  const range = h("input", {
    type: "range",
    min: scale.position(low),
    max: scale.position(high),
    step: scale.step(low, high),
    "aria-label": spec.scale === "log" ? `${label}, log scale` : label,
  });
  const field = h("input", {
    type: "text",
    inputmode: "decimal",
    class: "exact",
    "aria-label": `${label}, exact value`,
    "data-where": spec.key,
  });
  const held = holding(range);
  const set = () => scale.value(Number(range.value));
  const live = () => use.live?.() ?? false; // else one change on release
  let typed = false; // what is being typed stays, until it is what is in force
  range.addEventListener("input", () => {
    field.value = String(set());
    if (live()) use.change(set());
  });
  range.addEventListener("change", () => live() || use.change(set()));
  field.addEventListener("input", () => {
    typed = true;
  });
  field.addEventListener("change", () => {
    const value = numeric(field.value);
    if (typeof value === "number") use.change(value);
    else use.complain(`${label}: “${field.value}” is not a number. Write one such as ${use.value()}.`);
  });
  const show = () => {
    const value = use.value();
    if (document.activeElement !== field || numeric(field.value) === value) typed = false;
    if (!held() && !use.waiting?.()) {
      range.value = String(scale.position(value));
      if (!typed) field.value = String(value);
    }
    range.setAttribute("aria-valuetext", String(value));
  };
  return { root: h("label", { class: "control" }, named(spec), range, field), show };
}

/**
 * @param {import("./types.d.ts").Setting} spec
 * @param {import("./types.d.ts").InForce} use
 */
function toggle(spec, use) {
  const box = h("input", {
    type: "checkbox",
    role: "switch",
    "aria-label": spec.name ?? spec.label,
    onchange: () => use.change(box.checked),
  });
  return {
    root: h("span", { class: "control switch" }, box, named(spec)), // reading the term must not switch it
    show: () => {
      box.checked = use.value();
    },
  };
}

/**
 * @param {import("./types.d.ts").Setting} spec
 * @param {import("./types.d.ts").InForce} use
 */
function choice(spec, use) {
  const box = h(
    "select",
    { "aria-label": spec.name ?? spec.label, onchange: () => use.change(box.value) },
    spec.choices.map((word) => h("option", { value: word }, word)),
  );
  return {
    root: h("span", { class: "control choice" }, named({ ...spec, label: spec.name ?? spec.label }), box),
    show: () => {
      if (!use.waiting?.()) box.value = use.value();
    },
  };
}

const KINDS = { switch: toggle, choice };

/**
 * One setting: its element, and how it shows what is in force.
 * @param {import("./types.d.ts").Setting} spec
 * @param {import("./types.d.ts").InForce} use
 * @returns {{ root: HTMLElement, show: () => void }}
 */
export const setting = (spec, use) => (KINDS[spec.scale] ?? slider)(spec, use);
