// The live plots. Each uPlot object is made once per theme and size; new rows only replace its data.
import { h, maths } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { colour, plotOptions, roomy, setRows, uPlot, verticals } from "../shared/line_plot.js";
import { term } from "../shared/terms.js";
import { CHARTS } from "./chart_list.js";

const clear = (hex) => (/^#[0-9a-f]{6}$/i.test(hex) ? `${hex}30` : hex);

// A line's values by step.
const batches = (record, name) => new Map((record.columns[name] ?? []).map((value, step) => [step, value]));
const measurements = (record, name) => new Map(record.measured.map((m) => [m.step, m[name]]));
const steady = (run, spec) =>
  spec.lines.map(([name]) => (run ? measurements(run, spec.measured ? name : `eval_${name}`) : new Map()));

// One standard error above and below the first line.
function edges(record, spec, line) {
  if (!spec.band) return [];
  const error = measurements(record, spec.band);
  const edge = (sign) =>
    new Map([...line].map(([x, y]) => [x, y == null ? null : y + sign * (error.get(x) ?? 0)]));
  return [edge(1), edge(-1)];
}

// Columns: steps, one per line, the band's edges, the fixed pairs' lines, the other run's lines; and the lowest and
// highest value of the run that is drawn solid.
function rowsOf(record, other, spec) {
  const lines = spec.measured ? steady(record, spec) : spec.lines.map(([name]) => batches(record, name));
  const ghosts = steady(other, spec);
  const xs = [...new Set([...lines, ...ghosts].flatMap((line) => [...line.keys()]))].sort((a, b) => a - b);
  const own = [...lines, ...edges(record, spec, lines[0]), ...(spec.measured ? [] : steady(record, spec))];
  const values = own.flatMap((line) => [...line.values()]).filter((y) => y != null);
  const span = values.length
    ? [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
    : null;
  return {
    rows: /** @type {any} */ ([xs, ...[...own, ...ghosts].map((line) => xs.map((x) => line.get(x) ?? null))]),
    span,
  };
}

function seriesOf(root, spec) {
  const ink = (line) => colour(root, line[1]);
  const batch = (line) => ({ stroke: `${ink(line)}88`, width: 1, spanGaps: true, points: { show: false } });
  const bold = (line) => ({
    stroke: ink(line),
    width: 2.2,
    spanGaps: true,
    points: { show: true, size: 5, fill: ink(line) },
  });
  const ghost = (line) => ({
    stroke: ink(line),
    width: 1.6,
    dash: [5, 4],
    spanGaps: true,
    points: { show: false },
  });
  const edge = { stroke: "transparent", width: 0, spanGaps: true, points: { show: false } };
  return [
    ...spec.lines.map(spec.measured ? bold : batch),
    ...(spec.band ? [edge, edge] : []),
    ...(spec.measured ? [] : spec.lines.map(bold)),
    ...spec.lines.map(ghost),
  ];
}

/** @returns {import("../vendor/uplot/uPlot.esm.js").default.Band[]} */
const bandsOf = (root, spec) =>
  spec.band
    ? [
        {
          series: [spec.lines.length + 1, spec.lines.length + 2],
          fill: clear(colour(root, spec.lines[0][1])),
        },
      ]
    : [];

// The other run may leave the plot: a run that falls apart would else press the solid one flat.
/** @returns {[number, number]} */
function bounds(spec, low, high, span) {
  if (spec.unit) return [-0.03, 1.05];
  const far = span ? 2 * (span[1] - span[0]) : 0;
  const bottom = Math.min(far ? Math.max(low ?? 0, span[0] - far) : (low ?? 0), spec.from ?? Infinity);
  const top = Math.max(far ? Math.min(high ?? 1, span[1] + far) : (high ?? 1), bottom + 1e-9);
  return roomy(bottom, top, spec.from, 1e-6);
}

// A dotted line at each change; a solid one at the step whose samples are shown, when it is not the latest.
function marks(u, page) {
  const change = colour(page.root, "event");
  const lines = [...new Set(page.record.marks)].map((step) => ({ step, ink: change, dash: [2, 3] }));
  if (page.at != null) lines.push({ step: page.at, ink: colour(page.root, "policy"), dash: [] });
  verticals(u, lines);
}

// The caption: its numbers, and the outputs that hold them.
function caption(spec) {
  const outputs = spec.lines.map(() => h("output", {}));
  const values = spec.lines.map(([name, ink, label, key], i) => {
    const props = { class: "value", style: `--own:var(--${ink})`, "data-term": key ?? name, tabindex: "0" };
    return h("span", props, maths(`${label} `), outputs[i]);
  });
  return { outputs, root: h("span", { class: "values" }, values) };
}

class Chart {
  constructor(page, spec) {
    this.page = page;
    this.spec = spec;
    const { outputs, root } = caption(spec);
    this.outputs = outputs;
    this.canvas = h("div", { class: "canvas" });
    this.none = h("p", { class: "none hint" }, maths(spec.hint));
    this.root = h(
      "figure",
      { class: `chart chart-${spec.key}`, "data-chart": spec.key },
      h("figcaption", {}, term(spec.title[0], spec.title[1]), root),
      this.canvas,
      this.none,
    );
    /** @type {uPlot | null} */
    this.plot = null;
    this.made = ["", ""]; // the run and the looks that the plot was made for
    this.zoomed = false;
    this.drawn = "";
    this.span = null;
  }

  rows() {
    const { rows, span } = rowsOf(this.page.record, this.page.other, this.spec);
    this.span = span;
    return rows;
  }

  make() {
    const { page, spec, canvas } = this;
    const kept = this.zoomed && this.plot ? { ...this.plot.scales.x } : null;
    this.plot?.destroy();
    const options = plotOptions(page.root, canvas, {
      range: (u, low, high) => bounds(spec, low, high, this.span),
      series: seriesOf(page.root, spec),
      bands: bandsOf(page.root, spec),
      hooks: {
        draw: [(u) => marks(u, page)],
        setSelect: [
          (u) => {
            if (u.select.width > 0) this.zoomed = true;
          },
        ],
        setCursor: [(u) => this.read(u.cursor.idx)],
      },
    });
    this.plot = new uPlot(options, this.rows(), canvas);
    this.plot.over.addEventListener("dblclick", () => {
      this.zoomed = false;
      this.fit();
    });
    if (kept) this.plot.setScale("x", { min: kept.min, max: kept.max });
  }

  // The values under the pointer, else the latest.
  read(index) {
    const xs = this.plot?.data[0] ?? [];
    this.outputs.forEach((output, i) => {
      const row = [...(this.plot?.data[i + 1] ?? [])];
      const value = index != null && index < xs.length ? row[index] : row.findLast((v) => v != null);
      output.textContent = number(value);
      output.dataset.value = String(value ?? "");
    });
    this.root.classList.toggle("hovered", index != null);
  }

  update() {
    const { page, canvas } = this;
    const ungraded = page.record?.started?.graded === false && ["sentiment", "parse"].includes(this.spec.key);
    this.none.hidden = Boolean(page.record?.last) && !ungraded;
    if (ungraded)
      this.none.textContent =
        "These prompts are no reviews of the grammar: neither sentiment nor parse is known.";
    if (!page.record) return;
    const size = [canvas.clientWidth, canvas.clientHeight];
    const made = [page.record.id, [page.other?.id, page.root.className, ...size].join()];
    const state = [page.record.changed, page.other?.changed, page.at].join();
    const same = made.join() === this.made.join();
    if (same && state === this.drawn) return;
    this.drawn = state;
    if (same) setRows(this.plot, this.rows());
    else {
      if (this.plot && this.made[0] !== made[0]) this.zoomed = false;
      this.made = made;
      this.make();
    }
    if (!this.zoomed) this.fit();
    if (this.plot.cursor.idx == null) this.read(null);
  }

  fit() {
    this.plot.setScale("x", { min: 0, max: Math.max(this.page.record.steps, this.page.other?.steps ?? 0) });
  }

  destroy() {
    this.plot?.destroy();
  }
}

export function plots(page) {
  const all = CHARTS.map((spec) => new Chart(page, spec));
  const key = h("p", { class: "hint key" });
  return {
    root: h(
      "div",
      {},
      h(
        "div",
        { class: "charts", role: "group", "aria-label": "Plots of the run" },
        all.map((c) => c.root),
      ),
      key,
    ),
    update() {
      all.forEach((c) => c.update());
      const started = page.record?.started;
      const whose = started?.evaluated.held_out
        ? "held-out pairs, never trained on"
        : "of the run's own pairs, as labelled";
      const text = started
        ? `Thin: the ${started.batch_size} pairs of each step. Bold with dots: every so many steps, the same ` +
          `${started.evaluated.comparisons} ${whose}` +
          `${page.other ? "; dashed: the other run, which may leave a plot" : ""}; ` +
          "KL, sentiment and text from fresh samples."
        : "";
      if (key.textContent !== text) key.textContent = text;
    },
    destroy: () => all.forEach((c) => c.destroy()),
  };
}
