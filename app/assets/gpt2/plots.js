// The live plots. Each uPlot object is made once per theme and size; new rows only replace its data.
import uPlot from "../vendor/uplot/uPlot.esm.js";
import { h, maths, number } from "../shared/dom.js";
import { term } from "../shared/terms.js";

// Lines: [column or field, colour, label, term]; ``measured`` ones come from fresh samples, every so many steps. The
// others are means over the step's batch, drawn thin; their ``eval_`` twins over fixed pairs are drawn bold.
const CHARTS = [
  {
    key: "rewards",
    hint: "β·log(π/π_ref) of both replies: they start at 0.",
    title: ["rewards/margins", "Implicit reward r̂"],
    lines: [
      ["rewards/chosen", "chosen", "chosen"],
      ["rewards/rejected", "rejected", "rejected"],
    ],
  },
  {
    key: "margin",
    hint: "Chosen minus rejected, and the loss: log 2 at first.",
    title: ["rewards/margins", "Margin, loss"],
    lines: [
      ["rewards/margins", "ink", "u"],
      ["loss", "optimum", "L"],
    ],
  },
  {
    key: "accuracy",
    hint: "Share of pairs told apart, and how much gradient is left.",
    title: ["rewards/accuracies", "Accuracy, σ weight"],
    unit: true,
    lines: [
      ["rewards/accuracies", "ink", "acc"],
      ["sigma_weight", "optimum", "σ(−u)"],
    ],
  },
  {
    key: "logps",
    hint: "Watch the chosen reply: it can become less likely too.",
    title: ["logps/chosen", "Log-prob"],
    lines: [
      ["logps/chosen", "chosen", "chosen"],
      ["logps/rejected", "rejected", "rejected"],
    ],
  },
  {
    key: "kl",
    hint: "How far the model goes from its reference, with its standard error.",
    title: ["sampled_kl", "KL"],
    from: 0,
    measured: true,
    band: "kl_se",
    lines: [
      ["kl", "policy", "π‖π_ref", "sampled_kl"],
      ["kl_reverse", "reference", "π_ref‖π", "sampled_kl_reverse"],
    ],
  },
  {
    key: "sentiment",
    hint: "What these labels are meant to raise, known exactly.",
    title: ["true_sentiment", "True sentiment"],
    measured: true,
    band: "sentiment_se",
    lines: [["sentiment", "policy", "mean", "true_sentiment"]],
  },
  {
    key: "parse",
    hint: "Does it still speak its language, or repeat itself?",
    title: ["parse_share", "Parse, repetition"],
    unit: true,
    measured: true,
    lines: [
      ["parse_share", "policy", "parse", "parse_share"],
      ["repetition", "rejected", "rep.", "repetition"],
    ],
  },
  {
    key: "distinct",
    hint: "Does it still say different things?",
    title: ["distinct", "Distinct n-grams"],
    unit: true,
    measured: true,
    lines: [
      ["distinct_1", "soft", "1", "distinct"],
      ["distinct_2", "ink", "2", "distinct"],
      ["distinct_3", "policy", "3", "distinct"],
    ],
  },
];

const colour = (node, name) => getComputedStyle(node).getPropertyValue(`--${name}`).trim();
const clear = (hex) => (/^#[0-9a-f]{6}$/i.test(hex) ? `${hex}30` : hex);

// A line's values by step.
const batches = (record, name) => new Map(record.columns[name].map((value, step) => [step, value]));
const measurements = (record, name) => new Map(record.measured.map((m) => [m.step, m[name]]));

function chart(page, spec) {
  const values = h("span", { class: "values" });
  const canvas = h("div", { class: "canvas" });
  const none = h("p", { class: "none hint" }, maths(spec.hint));
  const root = h(
    "figure",
    { class: `chart chart-${spec.key}`, "data-chart": spec.key },
    h("figcaption", {}, term(spec.title[0], spec.title[1]), values),
    canvas,
    none,
  );
  const outputs = spec.lines.map(([, ink, label, key], i) => {
    const output = h("output", {});
    values.append(
      h(
        "span",
        { class: "value", style: `--own:var(--${ink})`, "data-term": key ?? spec.lines[i][0], tabindex: "0" },
        maths(`${label} `),
        output,
      ),
    );
    return output;
  });
  let plot = null;
  let made = "";
  let zoomed = false;
  let drawn = "";
  let span = null; // lowest and highest value of the solid run

  // Columns: steps, one per line, the band's edges, the fixed pairs' lines, the other run's lines.
  function data() {
    const { record, other } = page;
    const steady = (run) =>
      spec.lines.map(([name]) =>
        run ? measurements(run, spec.measured ? name : `eval_${name}`) : new Map(),
      );
    const lines = spec.measured ? steady(record) : spec.lines.map(([name]) => batches(record, name));
    const ghosts = steady(other);
    const xs = [...new Set([...lines, ...ghosts].flatMap((line) => [...line.keys()]))].sort((a, b) => a - b);
    const edges = [];
    if (spec.band) {
      const error = measurements(record, spec.band);
      for (const sign of [1, -1])
        edges.push(
          new Map([...lines[0]].map(([x, y]) => [x, y == null ? null : y + sign * (error.get(x) ?? 0)])),
        );
    }
    const own = [...lines, ...edges, ...(spec.measured ? [] : steady(record))];
    const values = own.flatMap((line) => [...line.values()]).filter((y) => y != null);
    span = values.length
      ? [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
      : null;
    return [xs, ...[...own, ...ghosts].map((line) => xs.map((x) => line.get(x) ?? null))];
  }

  function options() {
    const type = "11px system-ui, sans-serif";
    const axis = {
      stroke: colour(page.root, "ink"),
      font: type,
      grid: { stroke: colour(page.root, "grid"), width: 1 },
      ticks: { show: false },
      gap: 3,
    };
    const batch = ([, ink]) => ({
      stroke: `${colour(page.root, ink)}88`,
      width: 1,
      spanGaps: true,
      points: { show: false },
    });
    const steady = ([, ink]) => ({
      stroke: colour(page.root, ink),
      width: 2.2,
      spanGaps: true,
      points: { show: true, size: 5, fill: colour(page.root, ink) },
    });
    const ghost = ([, ink]) => ({
      stroke: colour(page.root, ink),
      width: 1.6,
      dash: [5, 4],
      spanGaps: true,
      points: { show: false },
    });
    const edge = { stroke: "transparent", width: 0, spanGaps: true, points: { show: false } };
    const first = spec.lines.length + 1;
    return {
      width: Math.max(canvas.clientWidth, 120),
      height: Math.max(canvas.clientHeight, 60),
      legend: { show: false },
      padding: [6, 12, 0, 0],
      cursor: { y: false, points: { size: 5 }, drag: { x: true, y: false, dist: 8 } },
      scales: { x: { time: false }, y: { range: (u, low, high) => bounds(spec, low, high, span) } },
      axes: [
        { ...axis, size: 18, space: 45 },
        {
          ...axis,
          size: 40,
          space: 26,
          values: (u, ticks) => ticks.map((t) => String(Number(t.toPrecision(4))).replace("-", "−")),
        },
      ],
      series: [
        {},
        ...spec.lines.map(spec.measured ? steady : batch),
        ...(spec.band ? [edge, edge] : []),
        ...(spec.measured ? [] : spec.lines.map(steady)),
        ...spec.lines.map(ghost),
      ],
      bands: spec.band
        ? [{ series: [first, first + 1], fill: clear(colour(page.root, spec.lines[0][1])) }]
        : [],
      hooks: {
        draw: [(u) => marks(u, page)],
        setSelect: [
          (u) => {
            if (u.select.width > 0) zoomed = true;
          },
        ],
        setCursor: [(u) => read(u.cursor.idx)],
      },
    };
  }

  function read(index) {
    const xs = plot?.data[0] ?? [];
    spec.lines.forEach((_, i) => {
      const row = plot?.data[i + 1] ?? [];
      const value = index != null && index < xs.length ? row[index] : row.findLast((v) => v != null);
      outputs[i].textContent = number(value);
      outputs[i].dataset.value = value ?? "";
    });
    root.classList.toggle("hovered", index != null);
  }

  return {
    root,
    update() {
      const ungraded = page.record?.started?.graded === false && ["sentiment", "parse"].includes(spec.key);
      none.hidden = Boolean(page.record?.last) && !ungraded;
      if (ungraded)
        none.textContent =
          "These prompts are no reviews of the grammar: neither sentiment nor parse is known.";
      if (!page.record) return;
      const shape = [
        page.record.id,
        page.other?.id,
        page.root.className,
        canvas.clientWidth,
        canvas.clientHeight,
      ].join();
      const state = [page.record.changed, page.other?.changed, page.at].join();
      if (shape === made && state === drawn) return;
      drawn = state;
      if (shape !== made) {
        if (plot && made.split(",")[0] !== page.record.id) zoomed = false;
        const kept = zoomed && plot ? { ...plot.scales.x } : null;
        made = shape;
        plot?.destroy();
        plot = new uPlot(options(), data(), canvas);
        plot.over.addEventListener("dblclick", () => {
          zoomed = false;
          fit();
        });
        if (kept) plot.setScale("x", { min: kept.min, max: kept.max });
      } else {
        plot.batch(() => {
          plot.setData(data(), false);
          plot.setScale("y", { min: null, max: null });
        });
      }
      if (!zoomed) fit();
      if (plot.cursor.idx == null) read(null);
    },
    destroy: () => plot?.destroy(),
  };

  function fit() {
    plot.setScale("x", { min: 0, max: Math.max(page.record.steps, page.other?.steps ?? 0) });
  }
}

// The other run may leave the plot: a run that falls apart would else press the solid one flat.
function bounds(spec, low, high, span) {
  if (spec.unit) return [-0.03, 1.05];
  const far = span ? 2 * (span[1] - span[0]) : 0;
  let bottom = Math.min(far ? Math.max(low ?? 0, span[0] - far) : (low ?? 0), spec.from ?? Infinity);
  let top = Math.max(far ? Math.min(high ?? 1, span[1] + far) : (high ?? 1), bottom + 1e-9);
  if (top - bottom < 1e-6) {
    top += 0.5;
    bottom -= spec.from === 0 ? 0 : 0.5;
  }
  const room = 0.06 * (top - bottom);
  return [spec.from === 0 && bottom === 0 ? 0 : bottom - room, top + room];
}

// A dotted line at each change; a solid one at the step whose samples are shown, when it is not the latest.
function marks(u, page) {
  const { ctx, bbox } = u;
  const line = (step, ink, dash) => {
    const x = Math.round(u.valToPos(step, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.strokeStyle = colour(page.root, ink);
    ctx.setLineDash(dash.map((d) => d * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  };
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  [...new Set(page.record.marks)].forEach((step) => line(step, "event", [2, 3]));
  if (page.at != null) line(page.at, "policy", []);
  ctx.restore();
}

export function plots(page) {
  const all = CHARTS.map((spec) => chart(page, spec));
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
        ? `Thin: the ${started.batch_size} pairs of each step. Bold with dots: every so many steps, the same ${started.evaluated.comparisons} ${whose}${page.other ? "; dashed: the other run, which may leave a plot" : ""}; KL, sentiment and text from fresh samples.`
        : "";
      if (key.textContent !== text) key.textContent = text;
    },
    destroy: () => all.forEach((c) => c.destroy()),
  };
}
