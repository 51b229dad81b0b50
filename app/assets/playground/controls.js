// What can be changed while it runs: each change is an intervention at the playhead.
import { h, maths } from "../shared/dom.js";
import { facts } from "../shared/facts.js";
import { number, numeric, short } from "../shared/format.js";
import { allow, methodOptions } from "./compare.js";
import { setting } from "../shared/settings.js";
import { term } from "../shared/terms.js";

const RATE = {
  key: "learning_rate",
  term: "learning_rate",
  label: "learning rate η",
  scale: "log",
  low: 0.01,
  high: 100,
};

// The settings of the method in force, made anew when another comes into force.
function methodSettings(app, binding) {
  const root = h("span", { class: "settings" });
  let method = null;
  let shown = [];
  return {
    root,
    show() {
      const now = app.run.segmentAt(app.step).objective;
      if (now.name !== method) {
        method = now.name;
        shown = facts.methods[method].settings.map((spec) =>
          setting(spec, { ...binding(spec), value: () => app.run.segmentAt(app.step).objective[spec.key] }),
        );
        root.replaceChildren(...shown.map((one) => one.root));
      }
      shown.forEach((one) => one.show());
    },
  };
}

// Which method trains from the playhead on.
function methodChoice(app) {
  const choose = h(
    "select",
    { "aria-label": "Method", onchange: () => app.intervene("objective", choose.value) },
    methodOptions(),
  );
  const name = h("span", {});
  let shown = null;
  return {
    root: h("span", { class: "control method" }, name, choose),
    update: (run) => allow(choose, run),
    show() {
      const now = app.run.segmentAt(app.step).objective.name;
      if (!app.events.waiting) choose.value = now;
      if (now === shown) return;
      shown = now;
      name.replaceChildren(term(facts.methods[now].term, "method"));
    },
  };
}

// A number of the whole run, sent as an event of its name.
function wholeNumber(app, name, min, max) {
  const field = h("input", {
    type: "number",
    min,
    max,
    step: 1,
    class: "exact",
    "aria-label": name,
    onchange: () => app.send({ type: name, value: numeric(field.value) }),
  });
  return field;
}

export function controls(app) {
  const binding = (spec) => ({
    change: (value) => app.intervene(spec.key, value),
    live: () => !app.view.playing,
    waiting: () => app.events.waiting,
    complain: (text) => app.say("error", text),
  });
  const method = methodChoice(app);
  const own = methodSettings(app, binding);
  const rate = setting(/** @type {any} */ (RATE), {
    ...binding(RATE),
    value: () => app.run.segmentAt(app.step).learning_rate,
  });
  const steps = wholeNumber(app, "steps", 1, facts.max_steps);
  const seed = wholeNumber(app, "seed", 0, facts.max_seed);
  const seeded = h("label", { class: "control" }, term("seed", "seed"), seed);
  const future = h("input", {
    type: "checkbox",
    role: "switch",
    "aria-label": "show the future",
    onchange: () => app.toggleFuture(),
  });
  const root = h(
    "div",
    { class: "controls", role: "group", "aria-label": "Settings in force at the playhead" },
    method.root,
    own.root,
    rate.root,
    h("label", { class: "control" }, "steps", steps),
    seeded,
    h("label", { class: "control switch" }, future, "show future"),
  );
  return {
    root,
    update(run) {
      method.update(run);
      if (document.activeElement !== steps) steps.value = run.steps;
      if (document.activeElement !== seed) seed.value = run.seed;
      seeded.hidden = !run.segments.some(({ objective }) => facts.methods[objective.name].draws);
    },
    seek() {
      [method, own, rate].forEach((one) => one.show());
      future.checked = app.view.future;
    },
  };
}

// How far the run has gone, as a level from 0 to 3.
function level(run, top, step) {
  if (step === 0 || run.at("kl/policy_reference", step) === 0) return 0;
  return top >= 0.98 ? 3 : top >= 0.9 ? 2 : 1;
}

const LEVELS = ["Policy = reference", "Learning", "Concentrating", "Collapsed"];

// Words, and [term, words] where a term explains them.
function atTheStart(run) {
  const moves = run.reference.some((_, k) => run.at(`policy/${k}`, 1) !== run.at(`policy/${k}`, 0));
  const still = [0, 1].every((side) => run.at(["rewards/chosen", "rewards/rejected"][side], 0) === 0);
  return [
    still ? "Every implicit reward is 0 and the loss is " : "The policy is the reference; the loss is ",
    ["loss", number(run.at("loss", 0), 4)],
    moves ? "; the gradient is not 0." : "; the gradient is 0 too, so nothing moves.",
  ];
}

function underWay(run, p, top, step) {
  const { replies } = run.prompts[p];
  const masses = replies.map((_, k) => run.at(`policy/${run.starts[p] + k}`, step));
  const most = replies[masses.indexOf(Math.max(...masses))];
  const ceiling = run.at(`kl/share_of_ceiling/${p}`, step);
  return [
    ["top_probability", `${top > 0.995 ? "over 99" : (100 * top).toFixed(0)} % of the mass`],
    ` on “${short(most, 60)}”; `,
    ["kl/policy_reference", "KL(π‖π_ref)"],
    " at ",
    ["kl/share_of_ceiling", `${(100 * ceiling).toFixed(0)} % of its ceiling`],
    " (",
    ["kl/policy_reference", number(run.at(`kl/policy_reference/${p}`, step), 2)],
    " of ",
    ["kl/ceiling", number(run.ceilings[p], 2)],
    ` nats)${run.prompts.length > 1 ? `, prompt ${p + 1}` : ""}.`,
  ];
}

// The state of the run in words, from the core's own columns.
export function readout(app) {
  const verdict = h("b", { class: "verdict" });
  const words = h("span", {});
  const root = h("div", { class: "readout", "aria-live": "off" }, verdict, words);
  let said = "";
  return {
    root,
    update() {
      said = "";
    },
    seek(step) {
      const { run } = app;
      const tops = run.prompts.map((_, p) => run.at(`top_probability/${p}`, step));
      const p = tops.indexOf(Math.max(...tops));
      const now = level(run, tops[p], step);
      const parts = step === 0 ? atTheStart(run) : underWay(run, p, tops[p], step);
      const text = now + JSON.stringify(parts);
      if (text === said) return;
      said = text;
      verdict.textContent = LEVELS[now];
      verdict.dataset.level = String(now);
      const spoken = (/** @type {string[]} */ [key, part]) =>
        h("span", { "data-term": key, tabindex: "0" }, maths(part));
      words.replaceChildren(" ", ...parts.map((part) => (typeof part === "string" ? part : spoken(part))));
    },
  };
}

// Every change so far, as links to the step where it was made.
export function eventLog(app) {
  const list = h("ol", {});
  const clear = h(
    "button",
    { type: "button", onclick: () => app.send({ type: "clear" }) },
    "Remove all changes",
  );
  const root = h(
    "section",
    { class: "panel log", "aria-label": "Event log" },
    h("h3", {}, "Event log"),
    list,
    clear,
  );
  let entries = [];
  return {
    root,
    update(run) {
      entries = run.log.map(([step, text]) => {
        const item = h(
          "button",
          {
            type: "button",
            class: "event",
            onclick: () => {
              app.pause();
              app.seek(step);
            },
          },
          text,
        );
        return [step, item];
      });
      const none = h(
        "li",
        { class: "hint" },
        "No change yet. Flip a pair or move a slider while it plays: the run goes on from that very step.",
      );
      list.replaceChildren(...(entries.length ? entries.map((e) => h("li", {}, e[1])) : [none]));
      clear.hidden = !entries.length;
    },
    seek(step) {
      entries.forEach(([at, item]) => item.classList.toggle("ahead", at > step));
    },
  };
}
