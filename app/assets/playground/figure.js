// The figure for a slide or a paper: Plotly, loaded only when asked for, draws what the page shows.
import { h } from "../shared/dom.js";
import { short } from "../shared/format.js";

const LINES = [
  ["Policy π(y|x)", null],
  [
    "Implicit reward r̂ (nats)",
    [
      ["rewards/chosen", "chosen"],
      ["rewards/rejected", "rejected"],
    ],
  ],
  ["Loss", [["loss", "ink"]]],
  ["Pull", null],
  ["KL(π‖π<sub>ref</sub>) (nats)", [["kl/policy_reference", "policy"]]],
  ["KL(π<sub>ref</sub>‖π) (nats)", [["kl/reference_policy", "reference"]]],
];

function plotly() {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  return new Promise((done, fail) => {
    const src = new URL("../plotly.min.js", import.meta.url).href;
    document.head.append(
      h("script", {
        src,
        onload: () => done(window.Plotly),
        onerror: () => fail(new Error("the drawing library did not load")),
      }),
    );
  });
}

// The colours of the light page, whatever the page's theme: the figure is on white.
function paper(app) {
  const light = h("div", { class: "lab", hidden: true });
  app.host.append(light);
  const style = getComputedStyle(light);
  const names = ["chosen", "rejected", "policy", "reference", "ink"];
  const found = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  light.remove();
  return (name) => found[name];
}

// Plotly reads a little HTML in its texts; what a person wrote is shown as it was written.
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

// Which line it is: the reply's text, chosen or rejected, or the pair's number.
function named(column, replies) {
  const [kind, which] = column.split("/");
  if (kind === "policy") return plain(short(replies[which], 30));
  if (kind === "sigma_weight" || column.includes("coefficient"))
    return `pair ${Number(column.split("/").at(-1)) + 1}`;
  return kind === "rewards" ? which : null;
}

// Labels that would lie on each other become one: the highest line's, and how many more.
function apart(ends, traces) {
  const kept = [];
  for (const label of ends.toSorted((a, b) => b[1] - a[1])) {
    const drawn = traces.filter((trace) => trace.yaxis === `y${label[0]}`).flatMap((trace) => trace.y);
    const room =
      0.05 * drawn.reduce((most, y) => Math.max(most, y), -Infinity) -
      0.05 * drawn.reduce((least, y) => Math.min(least, y), Infinity);
    const over = kept.find((one) => one[0] === label[0] && Math.abs(one[1] - label[1]) <= room);
    if (over) over[4] += 1;
    else kept.push([...label, 0]);
  }
  return kept.map(([i, y, text, colour, more]) => [i, y, more ? `${text} + ${more} more` : text, colour]);
}

export async function figure(app, format) {
  const Plotly = await plotly();
  const { run } = app;
  const end = app.view.future || app.step === 0 ? run.steps : app.step; // before it was played: all of it
  const ink = paper(app);
  const xs = Array.from({ length: end + 1 }, (_, t) => t);
  const traces = [];
  const ends = []; // a label for the end of a line: [panel, height, text, colour]
  const beside = plain(run.others.map((other) => other.name).join(", "));
  const layout = {
    width: 1200,
    height: 700,
    paper_bgcolor: "#fff",
    plot_bgcolor: "#fff",
    showlegend: false,
    font: { size: 13 },
    margin: { l: 60, r: 20, t: 90, b: 40 },
    grid: { rows: 2, columns: 3, pattern: "independent", ygap: 0.25, xgap: 0.12 },
    title: {
      text: `DPO Lab: steps 0 to ${end} of ${run.steps}${beside && `; dashed: ${beside}`}`,
      x: 0.01,
      y: 0.975,
    },
    annotations: [],
  };
  const replies = run.prompts.flatMap((prompt) => prompt.replies);
  const add = (i, name, colour, rows, dash, width = 2) =>
    traces.push({
      x: xs,
      y: Array.from(rows.get(name).subarray(0, end + 1)),
      mode: "lines",
      xaxis: `x${i}`,
      yaxis: `y${i}`,
      line: { color: ink(colour), dash, width },
      name,
    });
  const weighted = run.rows.has("sigma_weight/0");
  const weight = weighted ? "sigma_weight" : "comparison/coefficient_chosen";
  LINES.forEach(([title, series], index) => {
    const i = index + 1;
    layout.annotations.push({
      text: index === 3 ? (weighted ? "Sigma weight σ(−u)" : "Coefficient c(y<sub>w</sub>)") : title,
      xref: `x${i} domain`,
      yref: `y${i} domain`,
      x: 0,
      y: 1.12,
      showarrow: false,
      font: { size: 14 },
    });
    const names =
      series ??
      (index === 0
        ? run.reference.map((_, k) => [`policy/${k}`, "policy"])
        : run.segments[0].comparisons.map((_, c) => [`${weight}/${c}`, "ink"]));
    names.forEach(([name, colour]) => {
      add(i, name, colour, run.rows, "solid", series ? 2.5 : 1.2);
      const label = named(name, replies);
      if (label) ends.push([i, run.rows.get(name)[end], label, ink(colour)]);
      for (const other of series ? run.others : [])
        if (other.rows.has(name)) add(i, name, colour, other.rows, "dash");
    });
  });
  layout.annotations.push(
    ...apart(ends, traces).map(([i, y, text, color]) => ({
      text,
      xref: `x${i} domain`,
      yref: `y${i}`,
      x: 1,
      y,
      xanchor: "right",
      yanchor: "bottom",
      showarrow: false,
      font: { size: 10, color },
    })),
  );
  const level = (i, y, text) => {
    traces.push({
      x: [0, end],
      y: [y, y],
      mode: "lines",
      xaxis: `x${i}`,
      yaxis: `y${i}`,
      line: { color: "#888", dash: "dot", width: 1 },
    });
    layout.annotations.push({
      text,
      xref: `x${i}`,
      yref: `y${i}`,
      x: end,
      y,
      xanchor: "right",
      yanchor: "bottom",
      showarrow: false,
      font: { size: 11, color: "#666" },
    });
  };
  const start = run.segments[0].levels.loss;
  if (start) level(3, ...start);
  level(5, run.ceiling, "ceiling");
  const url = await Plotly.toImage({ data: traces, layout }, { format, width: 1200, height: 700, scale: 2 });
  return url;
}
