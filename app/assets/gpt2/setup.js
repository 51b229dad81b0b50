// What to train, on what, and how. β, learning rate and σ weight also change a run that is under way.
import { h } from "../shared/dom.js";
import { facts } from "../shared/facts.js";
import { numeric } from "../shared/format.js";
import { setting } from "../shared/settings.js";
import { term } from "../shared/terms.js";
import { dataChoice } from "./data_choice.js";
import { modelChoice } from "./model_choice.js";

const RATE = {
  key: "learning_rate",
  term: "learning_rate",
  label: "learning rate η",
  scale: "log",
  low: 1e-6,
  high: 1,
};
const SLOW =
  "A model of this size takes seconds for each step on a CPU (the shipped one takes a fraction of one). " +
  "Before the first step its speed is forecast on this machine, and a run of more than two minutes asks first.";

const control = (label, ...fields) => h("label", { class: "control" }, label, ...fields);

// What holds: the rules of a run that is under way, else what the one that waits, or the next, begins with.
const underWay = (page) => page.live && page.record.started;

function bound(page, spec, home) {
  let asked = -Infinity; // what was changed a moment ago is not yet told to be in force
  return setting(/** @type {any} */ (spec), {
    value: () =>
      underWay(page) && performance.now() - asked > 2000 ? page.record.rules[spec.key] : home()[spec.key],
    change: (value) => {
      asked = performance.now();
      home()[spec.key] = value;
      if (page.live) page.intervene(spec.key, value);
    },
    complain: (text) => page.say("error", text),
  });
}

// A method with its settings as declared; β as on this page, where the method's own default is DPO's.
function begun(page, name) {
  const usual = page.facts.defaults.objective;
  if (name === usual.name) return { ...usual };
  const dpo = facts.methods.dpo.settings.find(({ key }) => key === "beta").default;
  const values = facts.methods[name].settings.map(({ key, default: value }) => [
    key,
    key === "beta" && value === dpo ? usual.beta : value,
  ]);
  return { name, ...Object.fromEntries(values) };
}

// Which method trains, and its settings; both also change a run that is under way.
function methodChoice(page) {
  const { draft } = page;
  let asked = -Infinity;
  const choose = h(
    "select",
    {
      "aria-label": "method",
      onchange: () => {
        asked = performance.now();
        draft.objective = begun(page, choose.value);
        if (page.live) page.intervene("objective", draft.objective);
        page.update();
      },
    },
    facts.gpt2.methods.map((name) => h("option", { value: name }, facts.methods[name].title)),
  );
  const words = h("span", {});
  const settings = h("span", { class: "settings" });
  let shown = [];
  let method = null;
  return {
    root: h("span", { class: "control method" }, words, choose),
    settings,
    show() {
      const live = underWay(page) && performance.now() - asked > 2000;
      const { name } = live ? page.record.rules : draft.objective;
      if (document.activeElement !== choose) choose.value = name;
      if (name !== method) {
        method = name;
        words.replaceChildren(term(facts.methods[name].term, "method"));
        shown = facts.methods[name].settings.map((spec) => bound(page, spec, () => draft.objective));
        settings.replaceChildren(...shown.map((one) => one.root));
      }
      shown.forEach((one) => one.show());
    },
  };
}

function whole(draft, key, label, words, low, high) {
  const field = h("input", {
    type: "number",
    min: low,
    max: high,
    step: 1,
    class: "exact",
    "aria-label": label,
    onchange: () => {
      draft[key] = numeric(field.value);
    },
  });
  return {
    root: control(words ?? label, field),
    show: () => {
      if (document.activeElement !== field) field.value = draft[key];
    },
  };
}

function choice(label, options, get, set) {
  const field = h(
    "select",
    { "aria-label": label, onchange: () => set(field.value) },
    options.map((o) => h("option", { value: o }, o)),
  );
  return {
    root: control(label, field),
    show: () => {
      field.value = get();
    },
  };
}

function rarely(draft, usual) {
  const limits = facts.gpt2;
  const steps = limits.max_steps;
  const set = (key) => (value) => {
    draft[key] = value;
  };
  return [
    whole(draft, "batch_size", "pairs per step", term("batch_size", "pairs per step"), 0, limits.max_batch),
    whole(draft, "measure_every", "measure every", term("measure_every", "measure every"), 1, steps),
    whole(draft, "seed", "seed", null, 0, limits.max_seed),
    choice("optimizer", limits.optimizers, () => draft.optimizer.name, usual),
    choice("number format", limits.dtypes, () => draft.dtype, set("dtype")),
    choice("device", limits.devices, () => draft.device, set("device")),
  ];
}

export function setup(page) {
  const { draft } = page;
  // Every model and optimizer has a learning rate at which it usually learns.
  const usual = (name) => {
    const rates = page.facts.rates[draft.model === "shipped" ? "shipped" : "other"];
    draft.optimizer.name = name ?? Object.keys(rates)[0];
    draft.optimizer.learning_rate = rates[draft.optimizer.name];
    page.update();
  };
  const method = methodChoice(page);
  const rate = bound(page, RATE, () => draft.optimizer);
  const model = modelChoice(page, () => usual());
  const data = dataChoice(page);
  const steps = whole(draft, "steps", "steps", null, 1, facts.gpt2.max_steps);
  const more = rarely(draft, usual);
  const slow = h("p", { class: "hint slow", role: "note", hidden: true }, SLOW);
  const root = h(
    "section",
    { class: "setup", "aria-label": "Settings" },
    h(
      "div",
      { class: "controls" },
      control("model", ...model.fields),
      control("data", data.select),
      method.root,
      method.settings,
      rate.root,
      steps.root,
      h(
        "details",
        { class: "more" },
        h("summary", {}, "More"),
        h(
          "div",
          { class: "controls" },
          more.map((m) => m.root),
        ),
      ),
    ),
    data.own,
    slow,
  );
  return {
    root,
    update() {
      [method, rate, steps, ...more, model, data].forEach((part) => part.show());
      slow.hidden = draft.model === "shipped";
    },
  };
}
