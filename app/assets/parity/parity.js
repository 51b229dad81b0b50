// Toy against full model: four tiers as tables with their verdicts, and tier 4 as curves over each other.
import { h } from "../shared/dom.js";
import { facts, presets } from "../shared/facts.js";
import { number, numeric, signed } from "../shared/format.js";
import { colour, plotOptions, uPlot } from "../shared/line_plot.js";
import { setting } from "../shared/settings.js";
import { Surface, mounting } from "../gpt2/surface.js";

const WHAT = [
  "The toy's objective and torch's autograd get the same log-probs of a GPT-2.",
  "The toy's coefficients pulled back through the network, against autograd through the loss: every parameter tensor.",
  "A GPT-2 is the reference, but only a table of logits over the listed replies is trained: this is the toy.",
  "Now every weight is trained, by AdamW: what differs from the toy comes from the " +
    "weights that the replies share, and from the optimizer. The two runs have their " +
    "own numbers of steps: they are laid over each other from start to end.",
];
const cell = (value) =>
  Array.isArray(value)
    ? value.map(signed).join(" / ")
    : typeof value !== "number"
      ? String(value)
      : Number.isInteger(value)
        ? String(value)
        : value !== 0 && Math.abs(value) < 1e-3
          ? value.toExponential(2).replace("e-", "e−")
          : number(value, 6);
class Parity extends Surface {
  constructor(host, facts) {
    super(host, facts, "parity", facts.defaults);
  }
  get record() {
    return this.records[0] ?? null;
  }

  build() {
    const p = { form: form(this), tiers: tiers(this) };
    this.root.append(p.form.root, this.status, p.tiers.root);
    return p;
  }
}

function form(page) {
  const { draft } = page;
  const control = (label, field) => h("label", { class: "control" }, label, field);
  const field = (key, label) => {
    const input = h("input", {
      type: "text",
      inputmode: "decimal",
      class: "exact",
      "aria-label": label,
      "data-where": key,
      onchange: () => {
        draft[key] = numeric(input.value);
      },
    });
    return {
      root: control(label, input),
      show: () => {
        if (document.activeElement !== input) input.value = draft[key];
      },
    };
  };
  const paste = h("textarea", {
    rows: 5,
    class: "wide",
    "aria-label": "Scenario or pairs",
    "data-where": "pairs",
    placeholder: "A scenario (JSON) or preference pairs (JSONL)",
    oninput: () => {
      draft.text = paste.value;
    },
  });
  const own = h("div", { class: "own", hidden: true }, paste);
  const source = h(
    "select",
    {
      "aria-label": "Replies and labels",
      onchange: () => {
        draft.source = source.value;
        page.update();
      },
    },
    h("option", { value: "bundled" }, "bundled pairs (16)"),
    h("option", { value: "playground" }, "the Playground's world"),
    h("option", { value: "text" }, "own scenario or pairs…"),
  );
  const model = h("input", {
    type: "text",
    class: "name",
    list: "dpo-models",
    "aria-label": "Model",
    "data-where": "model",
    onchange: () => {
      draft.model = model.value;
    },
  });
  const names = h(
    "datalist",
    { id: "dpo-models" },
    (page.facts.offered ?? Object.keys(facts.gpt2.models)).map((name) => h("option", { value: name })),
  );
  source.append(
    h(
      "optgroup",
      { label: "presets" },
      presets.map((p) => h("option", { value: p.key }, p.name)),
    ),
  );
  const fields = [
    field("beta", "β"),
    field("steps", "steps of the table"),
    field("learning_rate", "its η"),
    field("network_steps", "steps of the network"),
    field("network_learning_rate", "its η (AdamW)"),
  ];
  const sigma = setting(
    { key: "sigma_weight", label: "σ weight", name: "sigma weight", scale: "switch" },
    {
      value: () => draft.sigma_weight,
      change: (on) => {
        draft.sigma_weight = on;
      },
    },
  );
  const start = h(
    "button",
    {
      type: "button",
      class: "primary",
      onclick: () => {
        page.say("", "");
        page.send({ type: "check", draft });
      },
    },
    "Compare",
  );
  const stop = h(
    "button",
    { type: "button", onclick: () => page.send({ type: "tell", run: page.record.id, action: "stop" }) },
    "Stop",
  );
  const where = h("output", { class: "where" });
  const root = h(
    "section",
    { class: "setup", "aria-label": "What to compare" },
    h(
      "p",
      { class: "lead" },
      "Is the toy the same thing as the full model? Three tables put it to the test; the " +
        "fourth shows what shared weights change. Each is computed anew on this machine.",
    ),
    h(
      "p",
      { class: "hint" },
      "β, σ weight and the numbers of steps are those of the fields below. Labels are those " +
        "of step 0; what a scenario changes later, it changes in table 3. Of more than 64 " +
        "pairs the first 64 count.",
    ),
    h(
      "div",
      { class: "controls" },
      control("replies and labels", source),
      control("model", model),
      names,
      fields[0].root,
      sigma.root,
      ...fields.slice(1).map((f) => f.root),
    ),
    own,
    h("div", { class: "transport" }, start, stop, where),
  );
  return {
    root,
    update() {
      fields.forEach((f) => f.show());
      sigma.show();
      if (document.activeElement !== source) source.value = draft.source;
      if (document.activeElement !== model) model.value = draft.model;
      if (document.activeElement !== paste) paste.value = draft.text;
      own.hidden = draft.source !== "text";
      const { record } = page;
      stop.disabled = !record || record.ended;
      where.textContent = !record
        ? ""
        : record.state === "queued"
          ? `waiting: number ${record.position} in the queue`
          : record.state === "starting" && record.progress && record.progress.what !== "loading"
            ? `${record.progress.what}${record.progress.share == null ? "" : ` ${Math.round(100 * record.progress.share)} %`}`
            : record.state === "starting"
              ? `computing for ${Math.round((performance.now() - (record.began ??= performance.now())) / 1000)} ` +
                `s${page.draft.model === "shipped" ? "; about a minute in all" : ""}`
              : record.state === "finished"
                ? "done"
                : record.state;
    },
  };
}

function tiers(page) {
  const root = h("div", { class: "tiers" });
  let shown = "";
  let drawn = [];
  return {
    root,
    destroy: () => drawn.forEach((plot) => plot.destroy()),
    update() {
      const found = page.record?.tiers;
      const now = [
        page.record?.id,
        Boolean(found),
        page.root.className,
        Math.round(root.clientWidth / 20),
      ].join();
      if (now === shown) return;
      shown = now;
      drawn.forEach((plot) => plot.destroy());
      drawn = [];
      root.replaceChildren(
        ...WHAT.map((what, i) => {
          const tier = found?.[i];
          const node = h(
            "section",
            { class: "panel tier", "data-tier": i + 1 },
            h(
              "h3",
              {},
              tier?.title ??
                [
                  "1. Same log-probs in, same numbers out",
                  "2. Same gradient",
                  "3. Same trajectory",
                  "4. What sharing changes",
                ][i],
            ),
            h("p", { class: "hint" }, what),
          );
          if (!tier) return node;
          const mark = tier.passed == null ? "" : tier.passed ? "passed" : "failed";
          node.append(
            h(
              "p",
              { class: `tier-verdict ${mark}` },
              tier.passed == null ? "" : h("b", {}, tier.passed ? "✓ " : "✗ "),
              tier.verdict,
            ),
          );
          if (tier.passed == null) node.append(overlay(page, tier, drawn));
          node.append(
            h(
              "div",
              { class: "scroll" },
              h(
                "table",
                {},
                h(
                  "thead",
                  {},
                  h(
                    "tr",
                    {},
                    tier.columns.map((c) => h("th", {}, c)),
                  ),
                ),
                h(
                  "tbody",
                  {},
                  tier.rows.map((row) =>
                    h(
                      "tr",
                      {},
                      row.map((v) => h("td", {}, cell(v))),
                    ),
                  ),
                ),
              ),
            ),
          );
          return node;
        }),
      );
    },
  };
}

// Tier 4's columns after the steps hold [toy, network]: one small plot each over the share of both runs that is done.
function overlay(page, tier, drawn) {
  const share = tier.rows.map((row) => (100 * row[1]) / tier.rows.at(-1)[1]); // of the network's steps, and of the toy's
  const charts = tier.columns.slice(2).map((name, k) => {
    const both = tier.rows.map((row) => row[k + 2]);
    const canvas = h("div", { class: "canvas" });
    const figure = h(
      "figure",
      { class: "chart", "data-curve": name },
      h(
        "figcaption",
        {},
        name,
        h(
          "span",
          { class: "values" },
          h(
            "span",
            { class: "value", style: "--own:var(--policy)" },
            "toy ",
            h("output", {}, number(both.at(-1)[0])),
          ),
          h(
            "span",
            { class: "value", style: "--own:var(--optimum)" },
            "network ",
            h("output", {}, number(both.at(-1)[1])),
          ),
        ),
      ),
      canvas,
    );
    requestAnimationFrame(() => {
      if (!canvas.isConnected) return;
      const line = (ink, dash) => ({
        stroke: colour(page.root, ink),
        width: 2.2,
        dash,
        points: { show: false },
      });
      const options = plotOptions(page.root, canvas, {
        right: 20,
        xTick: (t) => `${t} %`,
        series: [line("policy"), line("optimum", [6, 4])],
      });
      drawn.push(new uPlot(options, [share, both.map((v) => v[0]), both.map((v) => v[1])], canvas));
    });
    return figure;
  });
  return h(
    "div",
    { class: "charts", role: "group", "aria-label": "Toy and network over each other" },
    charts,
  );
}

export default mounting(Parity);
