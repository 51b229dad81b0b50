// The controls of a check: a number that is dragged, a choice, and bars that are dragged together.
import { h, maths } from "../shared/dom.js";
import { html } from "./contents.js";

const STOPS = 200; // positions of a slider without a step of its own
const STEPS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5 };
const neat = (x) => Number(x.toPrecision(4));
const signed = (x) => String(x).replace("-", "−");

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
    reset,
    node: h("div", { class: "l-control" }, html("label", { for: id }, control.label), select),
  };
}

// One bar of several: dragged by the pointer, moved by keys, drawn from zero or from the end nearer to it.
function column(control, i, values, described, changed) {
  const { low, high } = control;
  const name = control.names[i];
  const grain = 10 ** Math.floor(Math.log10((high - low) / 100)); // what a drag can set, such as .01
  const place = (v) => (100 * (v - low)) / (high - low);
  const zero = place(Math.min(high, Math.max(low, 0)));
  const fill = h("i", { class: "l-level" });
  const says = h("span", { class: "l-amount" });
  const track = h(
    "div",
    {
      class: "l-upright",
      role: "slider",
      tabindex: "0",
      "aria-orientation": "vertical",
      "aria-label": name,
      "aria-describedby": described,
      "aria-valuemin": low,
      "aria-valuemax": high,
      onpointerdown: (event) => {
        track.setPointerCapture(event.pointerId);
        point(event);
      },
      onpointermove: (event) => event.buttons && point(event),
      onkeydown: (event) => {
        const by = STEPS[event.key];
        const end = { Home: low, End: high }[event.key];
        if (!by && end === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        put(end ?? values[i] + (by * (high - low)) / 60);
      },
    },
    fill,
    h("i", { class: "l-zero", style: `bottom:${zero}%` }),
  );
  function draw() {
    const to = place(values[i]);
    fill.style.cssText = `bottom:${Math.min(zero, to)}%;height:${Math.abs(to - zero)}%`;
    says.textContent = signed(neat(values[i]));
    track.setAttribute("aria-valuenow", values[i]);
    track.setAttribute("aria-valuetext", `${neat(values[i])}${control.unit ? ` ${control.unit}` : ""}`);
  }
  function put(value) {
    values[i] = Math.min(high, Math.max(low, neat(Math.round(value / grain) * grain)));
    draw();
    changed();
  }
  function point(event) {
    const box = track.getBoundingClientRect();
    put(low + ((box.bottom - event.clientY) / box.height) * (high - low));
  }
  draw();
  return {
    draw,
    node: h("div", { class: "l-column" }, says, track, h("span", { class: "l-name" }, maths(name))),
  };
}

// Several numbers at once, such as a reward for each reply.
function bars(control, id, changed) {
  const values = [...control.default];
  const columns = control.names.map((_, i) => column(control, i, values, `${id}-label`, changed));
  return {
    name: control.name,
    get value() {
      return values;
    },
    reset() {
      values.splice(0, values.length, ...control.default);
      columns.forEach((one) => one.draw());
    },
    node: h(
      "div",
      { class: "l-control l-vector", role: "group", "aria-labelledby": `${id}-label` },
      html("span", { id: `${id}-label` }, `${control.label}${control.unit ? ` (${control.unit})` : ""}`),
      h(
        "div",
        { class: "l-columns" },
        columns.map((one) => one.node),
      ),
    ),
  };
}

export const makeControl = { slider, choice, bars };
