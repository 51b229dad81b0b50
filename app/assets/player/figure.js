// The figure for a slide or a paper: Plotly, loaded only when asked for, draws what the page shows.
import { h } from "./dom.js";

const LINES = [
  ["Policy π(y|x)", null],
  ["Implicit reward r̂ (nats)", [["rewards/chosen", "chosen"], ["rewards/rejected", "rejected"]]],
  ["Loss", [["loss", "ink"]]],
  ["Sigma weight σ(−u)", null],
  ["KL(π‖π_ref) (nats)", [["kl/policy_reference", "policy"]]],
  ["KL(π_ref‖π) (nats)", [["kl/reference_policy", "reference"]]],
];

function plotly() {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  return new Promise((done, fail) => {
    const src = new URL("../plotly.min.js", import.meta.url).href;
    document.head.append(h("script", { src, onload: () => done(window.Plotly), onerror: () => fail(new Error("the drawing library did not load")) }));
  });
}

export async function figure(app, format) {
  const Plotly = await plotly();
  const { run } = app;
  const end = app.view.future ? run.steps : app.step;
  const ink = (name) => getComputedStyle(app.root).getPropertyValue(`--${name}`).trim();
  const xs = Array.from({ length: end + 1 }, (_, t) => t);
  const traces = [];
  const layout = { width: 1200, height: 700, paper_bgcolor: "#fff", plot_bgcolor: "#fff", showlegend: false, font: { size: 13 },
    margin: { l: 60, r: 20, t: 60, b: 40 }, grid: { rows: 2, columns: 3, pattern: "independent", ygap: 0.25, xgap: 0.12 },
    title: { text: `DPO Lab, step ${app.step} of ${run.steps}`, x: 0.01 }, annotations: [] };
  const add = (i, name, colour, rows, dash, width = 2) => traces.push({ x: xs, y: Array.from(rows.get(name).subarray(0, end + 1)), mode: "lines", xaxis: `x${i}`, yaxis: `y${i}`,
    line: { color: ink(colour), dash, width }, name });
  LINES.forEach(([title, series], index) => {
    const i = index + 1;
    layout.annotations.push({ text: title, xref: `x${i} domain`, yref: `y${i} domain`, x: 0, y: 1.12, showarrow: false, font: { size: 14 } });
    const names = series ?? (index === 0 ? run.reference.map((_, k) => [`policy/${k}`, "policy"]) : run.segments[0].comparisons.map((_, c) => [`sigma_weight/${c}`, "ink"]));
    names.forEach(([name, colour]) => {
      add(i, name, colour, run.rows, "solid", series ? 2.5 : 1.2);
      if (series && run.ghost?.rows.has(name)) add(i, name, colour, run.ghost.rows, "dash");
    });
  });
  const level = (i, y, text) => {
    traces.push({ x: [0, end], y: [y, y], mode: "lines", xaxis: `x${i}`, yaxis: `y${i}`, line: { color: "#888", dash: "dot", width: 1 } });
    layout.annotations.push({ text, xref: `x${i}`, yref: `y${i}`, x: end, y, xanchor: "right", yanchor: "bottom", showarrow: false, font: { size: 11, color: "#666" } });
  };
  level(3, Math.log(2), "log 2");
  level(5, run.ceiling, "ceiling");
  const url = await Plotly.toImage({ data: traces, layout }, { format, width: 1200, height: 700, scale: 2 });
  return url;
}
