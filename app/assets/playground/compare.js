// Several runs on one world: how each looks, and where each ends.
import { h } from "../shared/dom.js";
import { facts } from "../shared/facts.js";
import { number, percent } from "../shared/format.js";
import { term } from "../shared/terms.js";

/** Colour and dash of the runs beside the visitor's own, in order. */
export const LOOKS = [
  { ink: "ink", dash: [5, 4] },
  { ink: "other-2", dash: [9, 4] },
  { ink: "other-3", dash: [2, 3] },
  { ink: "other-4", dash: [9, 3, 2, 3] },
  { ink: "other-5", dash: [4, 2, 1, 2] },
];

const COLUMNS = [
  ["loss", "loss (its own)", (x) => number(x, 4)],
  ["rewards/accuracies", "accuracy", (x) => number(x, 2)],
  ["kl/policy_reference", "KL(π‖π_ref)", (x) => number(x)],
  ["kl/reference_policy", "KL(π_ref‖π)", (x) => number(x)],
  ["true_reward", "true reward", (x) => number(x)],
  ["top_probability", "top prob.", percent],
];

/** A short line as a run is drawn. */
export const swatch = (look) =>
  h("i", {
    class: "swatch",
    style: `border-top-color:var(--${look.ink});border-top-style:${look.dash ? "dashed" : "solid"}`,
  });

/** One option for each method. */
export const methodOptions = () =>
  Object.entries(facts.methods).map(([name, method]) => h("option", { value: name }, method.title));

/** A method that is paid for its replies can be chosen where the world states a reward. */
export function allow(choose, run) {
  for (const option of choose.options)
    option.disabled = facts.methods[option.value]?.asks === "replies" && !run.prompts[0].reward;
}

// A menu that draws another method beside the present run.
export function compareChoice(app) {
  const choose = h(
    "select",
    {
      "aria-label": "Compare with",
      title: "Draw the same world under another method beside this run",
      onchange: () => {
        if (choose.value) app.send({ type: "compare", method: choose.value });
        choose.value = "";
      },
    },
    h("option", { value: "" }, "Compare with…"),
    methodOptions(),
  );
  return choose;
}

function row(app, name, look, ends, shown, index) {
  const away = h(
    "button",
    {
      type: "button",
      class: "small",
      "aria-label": `Remove ${name}`,
      onclick: () => app.send({ type: "unpin", index }),
    },
    "✕",
  );
  const cells = shown.map(([key, , write]) => h("td", {}, ends[key] == null ? "–" : write(ends[key])));
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, swatch(look), ` ${name}`),
    cells,
    h("td", {}, index == null ? null : away),
  );
}

// Where the runs end, as a table.
export function comparison(app) {
  const head = h("tr", {});
  const body = h("tbody", {});
  const root = h(
    "section",
    { class: "panel compared", "aria-label": "Compared runs" },
    h("h3", {}, "Where each run ends"),
    h("div", { class: "scroll" }, h("table", {}, h("thead", {}, head), body)),
  );
  return {
    root,
    update(run) {
      root.hidden = !run.others.length;
      if (root.hidden) return;
      const all = [run, ...run.others];
      const shown = COLUMNS.filter(([key]) => all.some((one) => one.ends[String(key)] != null));
      const named = shown.map(([key, label]) => h("th", { scope: "col" }, term(String(key), label)));
      head.replaceChildren(
        h("th", { scope: "col" }, "run"),
        ...named,
        h("th", {}, h("span", { class: "unseen" }, "remove")),
      );
      body.replaceChildren(
        row(
          app,
          `${facts.methods[run.segments[0].objective.name].title} (this run)`,
          { ink: "ink" },
          run.ends,
          shown,
        ),
        ...run.others.map((other, i) => row(app, other.name, LOOKS[i], other.ends, shown, i)),
      );
    },
  };
}
