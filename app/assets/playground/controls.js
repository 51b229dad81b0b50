// What can be changed while it runs: each change is an intervention at the playhead.
import { h, holding, maths, number, short } from "../shared/dom.js";
import { term } from "../shared/terms.js";

// A slider on a log scale with a field beside it for an exact value.
function logSlider(app, key, label, low, high, change) {
  const to = (value) => Math.log10(value);
  const slider = h("input", {
    type: "range",
    min: to(low),
    max: to(high),
    step: 0.01,
    "aria-label": `${label}, log scale`,
  });
  const field = h("input", {
    type: "text",
    inputmode: "decimal",
    class: "exact",
    "aria-label": `${label}, exact value`,
  });
  const tidy = (x) => Number(x.toPrecision(3));
  const send = (value) => app.intervene(change, value);
  const held = holding(slider);
  let typed = false; // what is being typed stays, until it is what is in force
  field.addEventListener("input", () => {
    typed = true;
  });
  slider.addEventListener("input", () => {
    field.value = tidy(10 ** slider.value);
    if (!app.view.playing) send(tidy(10 ** slider.value)); // while it plays, one change on release
  });
  slider.addEventListener("change", () => app.view.playing && send(tidy(10 ** slider.value)));
  field.addEventListener("change", () => {
    const value = Number(field.value.replace(",", "."));
    if (field.value.trim() === "" || !Number.isFinite(value))
      app.say("error", `${label}: “${field.value}” is not a number. Write one such as 0.5.`);
    else send(value);
  });
  const show = (value) => {
    if (document.activeElement !== field || Number(field.value.replace(",", ".")) === value) typed = false;
    if (!held() && !app.queue.length) {
      slider.value = to(value);
      if (!typed) field.value = String(value);
    }
    slider.setAttribute("aria-valuetext", String(value));
  };
  return { root: h("label", { class: "control" }, term(key, label), slider, field), show };
}

export function controls(app) {
  const beta = logSlider(app, "beta", "β", 0.01, 10, "beta");
  const rate = logSlider(app, "learning_rate", "learning rate η", 0.01, 100, "learning_rate");
  const steps = h("input", {
    type: "number",
    min: 1,
    max: 5000,
    step: 1,
    class: "exact",
    "aria-label": "steps",
    onchange: () =>
      app.send({ type: "steps", value: steps.value.trim() === "" ? steps.value : Number(steps.value) }),
  });
  const sigma = h("input", {
    type: "checkbox",
    role: "switch",
    "aria-label": "sigma weight",
    onchange: () => app.intervene("sigma_weight", sigma.checked),
  });
  const future = h("input", {
    type: "checkbox",
    role: "switch",
    "aria-label": "show the future",
    onchange: () => app.toggleFuture(),
  });
  const root = h(
    "div",
    { class: "controls", role: "group", "aria-label": "Settings in force at the playhead" },
    beta.root,
    rate.root,
    h("label", { class: "control" }, "steps", steps),
    h("label", { class: "control switch" }, sigma, term("sigma_weight", "σ weight")),
    h("label", { class: "control switch" }, future, "show future"),
  );
  return {
    root,
    update(run) {
      if (document.activeElement !== steps) steps.value = run.steps;
    },
    seek(step) {
      const now = app.run.segmentAt(step);
      beta.show(now.objective.beta);
      rate.show(now.learning_rate);
      sigma.checked = now.objective.sigma_weight;
      future.checked = app.view.future;
    },
  };
}

// The state of the run in words, from the core's own columns.
export function readout(app) {
  const root = h("div", { class: "readout", "aria-live": "off" });
  const verdict = h("b", { class: "verdict" });
  const words = h("span", {});
  root.append(verdict, words);
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
      const { replies } = run.prompts[p];
      const masses = replies.map((_, k) => run.at(`policy/${run.starts[p] + k}`, step));
      const top = masses.indexOf(Math.max(...masses));
      const share = run.at(`kl/share_of_ceiling/${p}`, step);
      const kl = run.at(`kl/policy_reference/${p}`, step);
      const level =
        step === 0 || run.at("kl/policy_reference", step) === 0
          ? 0
          : tops[p] >= 0.98
            ? 3
            : tops[p] >= 0.9
              ? 2
              : 1;
      const moves = run.reference.some((_, k) => run.at(`policy/${k}`, 1) !== run.at(`policy/${k}`, 0));
      const name = ["Policy = reference", "Learning", "Concentrating", "Collapsed"][level];
      const mass = tops[p] > 0.995 ? "over 99" : (100 * tops[p]).toFixed(0);
      const parts =
        step === 0
          ? [
              "Every implicit reward is 0 and the loss is ",
              ["loss", number(run.at("loss", 0), 4)],
              moves ? "; the gradient is not 0." : "; the gradient is 0 too, so nothing moves.",
            ]
          : [
              ["top_probability", `${mass} % of the mass`],
              ` on “${short(replies[top], 60)}”; `,
              ["kl/policy_reference", "KL(π‖π_ref)"],
              " at ",
              ["kl/share_of_ceiling", `${(100 * share).toFixed(0)} % of its ceiling`],
              " (",
              ["kl/policy_reference", number(kl, 2)],
              " of ",
              ["kl/ceiling", number(run.ceilings[p], 2)],
              ` nats)${run.prompts.length > 1 ? `, prompt ${p + 1}` : ""}.`,
            ];
      const text = JSON.stringify(parts);
      if (name + text === said) return;
      said = name + text;
      verdict.textContent = name;
      verdict.dataset.level = level;
      words.replaceChildren(
        " ",
        ...parts.flatMap((part) =>
          typeof part === "string"
            ? part
            : h("span", { "data-term": part[0], tabindex: "0" }, maths(part[1])),
        ),
      );
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
