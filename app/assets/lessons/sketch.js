// Drawing a curve before it is computed: nine knots, by pointer or by arrow keys.
import { h } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { svg } from "../shared/svg.js";
import { lineChart } from "./chart.js";

const KNOTS = 9;

// A range that is symmetric about the start, so that it does not give the direction away.
function window_(metric) {
  const { values, name } = metric;
  if (/^policy|^best_reply|^preference|accuracies|top_probability|sigma_weight|share/.test(name))
    return [0, 1];
  const reach = 1.35 * Math.max(1e-6, ...values.map((v) => Math.abs(v - values[0])));
  const low = values[0] - reach;
  return [
    /^kl|entropy|^loss|^variance/.test(name) && Math.min(...values) >= 0 ? Math.max(0, low) : low,
    values[0] + reach,
  ];
}

export function sketchPad(run, metric, label, saved) {
  const [low, high] = window_(metric);
  const knots = saved ?? Array(KNOTS).fill(metric.values[0]);
  const steps = knots.map((_, i) => Math.round((run.steps * i) / (KNOTS - 1)));
  const chart = lineChart({
    t: run.t,
    values: metric.values,
    low,
    high,
    steps: run.steps,
    x_label: run.x_label,
    label,
    wide: 400,
    tall: 220,
  });
  const { box } = chart;
  const truth = [...chart.root.querySelectorAll(".l-line-path, .l-dot")];
  truth.forEach((node) => node.setAttribute("visibility", "hidden"));
  const path = svg("path", { class: "l-sketched" });
  const dots = knots.map((_, i) => svg("circle", { r: i ? 5 : 4, class: i ? "l-knot" : "l-knot fixed" }));
  chart.root.append(path, ...dots);
  chart.root.setAttribute("aria-hidden", "true");
  let at = 1;
  let drawn = Boolean(saved);
  let open = true;
  const told = [];

  function draw() {
    path.setAttribute(
      "d",
      knots.map((v, i) => `${i ? "L" : "M"}${chart.x(steps[i])} ${chart.y(v)}`).join(""),
    );
    dots.forEach((dot, i) => {
      dot.setAttribute("cx", chart.x(steps[i]));
      dot.setAttribute("cy", chart.y(knots[i]));
      dot.classList.toggle("at", i === at);
    });
    root.setAttribute("aria-valuenow", knots[at]);
    root.setAttribute("aria-valuetext", `step ${steps[at]}: ${number(knots[at])}`);
  }

  function put(i, value) {
    if (!open || i === 0) return; // where the run starts is known
    at = i;
    knots[i] = Math.min(high, Math.max(low, value));
    if (!drawn) {
      drawn = true;
      told.forEach((tell) => tell());
    }
    draw();
  }

  function point(event) {
    const drawn = chart.root.getBoundingClientRect();
    const px = ((event.clientX - drawn.left) / drawn.width) * box.wide;
    const py = ((event.clientY - drawn.top) / drawn.height) * box.tall;
    const i = Math.round(((px - box.left) / (box.wide - box.left - box.right)) * (KNOTS - 1));
    const share = (box.tall - box.bottom - py) / (box.tall - box.top - box.bottom);
    put(Math.min(KNOTS - 1, Math.max(1, i)), low + share * (high - low));
  }

  const root = h(
    "div",
    {
      class: "l-pad",
      tabindex: "0",
      role: "slider",
      "aria-label": `${label}: left and right choose a step, up and down move the curve`,
      "aria-valuemin": low,
      "aria-valuemax": high,
      onpointerdown: (event) => {
        root.setPointerCapture(event.pointerId);
        point(event);
      },
      onpointermove: (event) => {
        if (event.buttons) point(event);
      },
      onkeydown: (event) => {
        const by = { ArrowUp: 0.05, ArrowDown: -0.05, PageUp: 0.2, PageDown: -0.2 }[event.key];
        const side = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!open || (!by && !side)) return;
        event.preventDefault();
        event.stopPropagation();
        if (by) put(at, knots[at] + by * (high - low));
        else {
          at = Math.min(KNOTS - 1, Math.max(1, at + side));
          draw();
        }
      },
    },
    chart.root,
  );
  draw();
  return {
    root,
    knots,
    onDrawn(tell) {
      told.push(tell);
      if (drawn) tell();
    },
    reveal() {
      open = false;
      root.classList.add("done");
      root.removeAttribute("tabindex");
      truth.forEach((node) => node.removeAttribute("visibility"));
      chart.seek(run.t.length - 1);
    },
    // The curve's typical distance from the sketch, as a share of the height drawn.
    distance() {
      const gaps = steps.map((s, i) => {
        const frame = run.t.findIndex((t) => t >= s);
        return Math.abs(metric.values[frame < 0 ? run.t.length - 1 : frame] - knots[i]) / (high - low);
      });
      return gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    },
  };
}
