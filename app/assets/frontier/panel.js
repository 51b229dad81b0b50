// What stands beside the figure: the methods to switch on and off, the tangent's β, and what is swept.
import { h } from "../shared/dom.js";
import { facts } from "../shared/facts.js";
import { number } from "../shared/format.js";
import { methodSwatch } from "../shared/method_looks.js";
import { term } from "../shared/terms.js";
import { slopeWords } from "./words.js";

// One method: a box to tick. Reading its name must not switch it, but pointing at it brings its runs to the front.
function choice(app, { name, runs, usable }, dark) {
  const { title, term: key } = facts.methods[name];
  const box = h("input", {
    type: "checkbox",
    "aria-label": `${title}, ${runs} run${runs > 1 ? "s" : ""}`,
    disabled: !usable,
    onchange: () => app.show(name, box.checked),
  });
  box.checked = usable && app.page.on.includes(name);
  const stress = (on) => () => app.stress(on ? (run) => run.method === name : null);
  return h(
    "label",
    {
      class: "method",
      "data-method": name,
      title: usable ? null : "This world has no labels that it can learn from",
      onpointerenter: stress(true),
      onpointerleave: stress(false),
    },
    box,
    methodSwatch(name, dark),
    h("span", { class: "said", "data-term": key }, title),
  );
}

export function methodList(app) {
  const list = h("div", { class: "methods", role: "group", "aria-label": "Methods that are drawn" });
  const button = (text, names) =>
    h("button", { type: "button", class: "small", onclick: () => app.showOnly(names()) }, text);
  const usable = () => app.page.methods.filter((m) => m.usable).map((m) => m.name);
  const root = h(
    "section",
    { class: "panel", "aria-label": "Methods" },
    h(
      "h3",
      {},
      "Methods",
      button("all", usable),
      button("none", () => []),
    ),
    list,
  );
  let made = "";
  return {
    root,
    update(page) {
      const dark = app.root.classList.contains("dark");
      const now = JSON.stringify([page.methods, page.on, dark]);
      if (now === made) return;
      made = now;
      const focused = /** @type {HTMLElement | null} */ (document.activeElement?.closest(".method"))?.dataset
        .method;
      list.replaceChildren(...page.methods.map((one) => choice(app, one, dark)));
      /** @type {HTMLElement | null} */ (list.querySelector(`[data-method="${focused}"] input`))?.focus();
    },
  };
}

export function tangentControl(app) {
  const range = h("input", {
    type: "range",
    min: 0,
    step: 1,
    "aria-label": "β of π*, log scale",
    oninput: () => app.lean(Number(range.value)),
    onchange: () => app.keepBeta(),
  });
  const field = h("input", {
    type: "text",
    inputmode: "decimal",
    class: "exact",
    "aria-label": "β of π*, exact value",
    "data-where": "β of π*",
    onchange: () => app.send({ type: "beta", value: field.value.trim().replace(",", ".") }),
  });
  const words = h("p", { class: "hint slope" });
  const root = h(
    "section",
    { class: "panel", "aria-label": "Tangent" },
    h("h3", {}, term("frontier_slope", "Tangent at β")),
    h("label", { class: "control" }, range, field),
    words,
  );
  return {
    root,
    update(page) {
      range.max = String(page.line.length - 1);
    },
    lean(index) {
      const point = app.page.line[index];
      const beta = Number(point.beta.toPrecision(3));
      range.value = String(index);
      range.setAttribute("aria-valuetext", String(beta));
      if (document.activeElement !== field) field.value = String(beta);
      words.textContent = slopeWords(point);
    },
  };
}

// A field whose text goes to the server as it stands; what is wrong with it is told beside the figure.
function field(app, key, label, where, more) {
  const box = h("input", {
    type: "text",
    class: "exact values",
    "aria-label": label,
    "data-where": where,
    ...more,
    onchange: () =>
      app.send({ type: key, value: key === "steps" ? Number(box.value) || box.value : box.value }),
  });
  return box;
}

export function sweepForm(app) {
  const betas = field(app, "betas", "β of the runs, commas between", "β");
  const draws = field(app, "draws", "N of best-of-N, commas between", "N");
  const steps = field(app, "steps", "Steps of a run", "steps", { inputmode: "numeric" });
  const bar = h("progress", { "aria-label": "Sweep", max: 1 });
  const said = h("span", { class: "hint", role: "status" });
  const stop = h("button", { type: "button", class: "small", onclick: () => app.sweeps.stop() }, "Cancel");
  const again = h("button", { type: "button", class: "small", onclick: () => app.sweeps.start() }, "Go on");
  const root = h(
    "section",
    { class: "panel sweep", "aria-label": "What is swept" },
    h("h3", {}, "Swept"),
    h("label", { class: "control" }, term("beta", "β"), betas),
    h("label", { class: "control" }, term("best_of_n", "N"), draws),
    h("label", { class: "control" }, "steps", steps),
    h("div", { class: "progress" }, bar, stop, again, said),
  );
  const put = (box, text) => {
    if (document.activeElement !== box) box.value = text;
  };
  return {
    root,
    update(page) {
      put(betas, page.betas.join(", "));
      put(draws, page.draws.join(", "));
      put(steps, String(page.steps));
      const { sweeps } = app;
      const left = sweeps.missing.length;
      const done = page.on.length - left;
      const { runs, updates } = page.cost;
      bar.hidden = stop.hidden = !sweeps.running;
      again.hidden = Boolean(sweeps.running) || !left;
      bar.value = page.on.length ? done / page.on.length : 1;
      said.textContent = page.refused
        ? "Nothing is swept."
        : !left
          ? `${runs} runs of ${page.steps} steps (${number(updates / 1e6, 1)} million updates)`
          : sweeps.failure ||
            `${app.runs.length} of ${runs} runs${sweeps.running ? "…" : ", the rest was left out"}`;
    },
  };
}
