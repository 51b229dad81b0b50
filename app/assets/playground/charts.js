// Line charts that show the run up to the playhead: drawn once in full, the future under a curtain.
import uPlot from "../vendor/uplot/uPlot.esm.js";
import { h, number } from "../shared/dom.js";
import { term } from "../shared/terms.js";

const LOG2 = Math.log(2); // where every run of Eq. 7 starts
const many = (run, name) => run.segments[0].comparisons.map((_, i) => `${name}/${i}`);
const prompts = (run, name) => (run.prompts.length > 1 ? run.prompts.map((_, i) => `${name}/${i}`) : []);
const of = (selected, mean, one) => (selected == null ? mean : `${one}/${selected}`);

// Each chart: key, title term, faint lines, main lines [column, colour, label], and a level with its name.
const CHARTS = [
  {
    key: "rewards",
    title: ["rewards/margins", "Implicit reward"],
    main: (run, s) => [
      [of(s, "rewards/chosen", "comparison/reward_chosen"), "chosen", "chosen", "rewards/chosen"],
      [of(s, "rewards/rejected", "comparison/reward_rejected"), "rejected", "rejected", "rewards/rejected"],
    ],
  },
  {
    key: "margin",
    title: ["rewards/margins", "Margin u"],
    faint: (run) => many(run, "comparison/margin"),
    main: (run, s) => [[of(s, "rewards/margins", "comparison/margin"), "ink", "u", "rewards/margins"]],
  },
  {
    key: "sigma",
    title: ["sigma_weight", "Sigma weight σ(−u)"],
    from: 0,
    faint: (run) => many(run, "sigma_weight"),
    main: (run, s) => [[`sigma_weight/${s ?? 0}`, "ink", `pair ${(s ?? 0) + 1}`, "sigma_weight"]],
  },
  {
    key: "loss",
    title: ["loss", "Loss"],
    main: () => [["loss", "ink", "L", "loss"]],
    level: () => [LOG2, "log 2"],
  },
  {
    key: "kl",
    title: ["kl/policy_reference", "KL(π‖π_ref)"],
    from: 0,
    faint: (run) => prompts(run, "kl/policy_reference"),
    main: () => [["kl/policy_reference", "policy", "mean", "kl/policy_reference"]],
    level: (run) => [run.ceiling, "ceiling"],
  },
  {
    key: "reverse",
    title: ["kl/reference_policy", "KL(π_ref‖π)"],
    from: 0,
    faint: (run) => prompts(run, "kl/reference_policy"),
    main: () => [["kl/reference_policy", "reference", "mean", "kl/reference_policy"]],
  },
  {
    key: "entropy",
    title: ["entropy", "Entropy, top prob."],
    from: 0,
    main: () => [
      ["entropy", "reference", "H", "entropy"],
      ["top_probability", "policy", "max π", "top_probability"],
    ],
  },
  {
    key: "logps",
    title: ["logps/chosen", "Log-prob"],
    main: () => [
      ["logps/chosen", "chosen", "chosen", "logps/chosen"],
      ["logps/rejected", "rejected", "rejected", "logps/rejected"],
    ],
  },
  {
    key: "reward",
    title: ["true_reward", "True reward"],
    only: (run) => run.rows.has("true_reward"),
    faint: (run) => prompts(run, "true_reward"),
    main: () => [["true_reward", "optimum", "E[r]", "true_reward"]],
  },
  {
    key: "accuracy",
    title: ["rewards/accuracies", "Accuracy"],
    from: 0,
    only: (run) => !run.rows.has("true_reward"),
    main: () => [["rewards/accuracies", "ink", "share", "rewards/accuracies"]],
  },
];

const colour = (host, name) => getComputedStyle(host).getPropertyValue(`--${name}`).trim();
const looks = (app) => `${app.root.className} ${app.view.presenter}`; // what the colours and sizes depend on

// One chart. Its uPlot object is made anew only when the world, the theme or the size of type changes.
function chart(app, spec) {
  const values = h("span", { class: "values" });
  const canvas = h("div", { class: "canvas" });
  const root = h(
    "figure",
    { class: `chart chart-${spec.key}`, "data-chart": spec.key },
    h("figcaption", {}, term(spec.title[0], spec.title[1]), values),
    canvas,
  );
  const curtain = h("div", { class: "curtain" });
  const cursor = h("div", { class: "playhead" });
  const level = h("div", { class: "level", hidden: true }, h("span", {})); // log 2, the ceiling: known from the start
  let plot = null;
  let outputs = [];
  let made = "";
  let across = 0; // width of the plotting area as last drawn

  function series(run) {
    const main = spec.main(run, app.view.selected);
    const faint = spec.faint?.(run) ?? [];
    const own = [
      ...faint.map((name) => ({ name, faint: true })),
      ...main.map(([name, ink]) => ({ name, ink })),
    ];
    const ghost = main
      .map(([name, ink]) => ({ name, ink, ghost: true }))
      .filter((s) => run.ghost?.rows.has(s.name));
    return { main, lines: [...own, ...ghost] };
  }

  function data(run, lines) {
    const xs = Float32Array.from({ length: run.steps + 1 }, (_, t) => t);
    const padded = (rows) =>
      rows.length >= xs.length
        ? rows.subarray(0, xs.length)
        : [...rows, ...new Array(xs.length - rows.length).fill(null)];
    return [xs, ...lines.map((line) => padded((line.ghost ? run.ghost : run).rows.get(line.name)))];
  }

  function options(run, lines) {
    const type = `${app.view.presenter ? 15 : 11}px system-ui, sans-serif`;
    const ink = colour(app.root, "ink");
    const grid = colour(app.root, "grid");
    const axis = {
      stroke: ink,
      font: type,
      grid: { stroke: grid, width: 1 },
      ticks: { show: false },
      gap: 3,
    };
    const wide = app.view.presenter ? 1.7 : 1;
    return {
      width: Math.max(canvas.clientWidth, 120),
      height: Math.max(canvas.clientHeight, 60),
      legend: { show: false },
      cursor: { y: false, points: { size: 5 }, drag: { x: true, y: false, dist: 8 } },
      padding: [6, app.view.presenter ? 20 : 13, 0, 0],
      scales: {
        x: { time: false, range: (u, low, high) => [low ?? 0, high ?? 1] },
        y: { range: (u, low, high) => bounds(spec, run, low, high) },
      },
      axes: [
        { ...axis, size: app.view.presenter ? 24 : 18, space: 45, values: (u, ticks) => ticks.map(String) },
        {
          ...axis,
          size: app.view.presenter ? 52 : 40,
          space: 26,
          values: (u, ticks) =>
            ticks.map((t) =>
              number(t, 4)
                .replace(/(\.\d*?)0+$/, "$1")
                .replace(/\.$/, ""),
            ),
        },
      ],
      series: [
        {},
        ...lines.map((line) => ({
          stroke: colour(app.root, line.faint ? "faint" : line.ink),
          width: (line.faint ? 1 : 2.2) * wide,
          dash: line.ghost ? [5, 4] : undefined,
          points: { show: false },
        })),
      ],
      hooks: {
        draw: [
          (u) => {
            marks(u, app);
            across = u.bbox.width / devicePixelRatio;
            place(app.step);
          },
        ],
        setCursor: [(u) => read(u.cursor.idx)],
      },
    };
  }

  // Every frame: where the playhead is. Every step: what it reads.
  function move() {
    if (!plot) return;
    const x = plot.valToPos(app.view.playhead, "x");
    const edge = Math.max(0, Math.min(across, x));
    curtain.style.transform = cursor.style.transform = `translateX(${edge}px)`;
    cursor.hidden = x < -1 || x > across + 1;
  }

  function place(step) {
    if (!plot) return;
    move();
    curtain.hidden = app.view.future;
    const named = spec.level?.(app.run);
    level.hidden = !named;
    if (named) {
      const y = plot.valToPos(named[0], "y");
      level.style.transform = `translateY(${y}px)`;
      level.classList.toggle("under", y < 18);
      level.firstChild.textContent = `${named[1]} = ${number(named[0], named[1] === "log 2" ? 4 : 3)}`;
    }
    read(null, step);
  }

  // The numbers in the caption: at the playhead, or under the pointer where the run is revealed there.
  function read(index, step = app.step) {
    const hovered = index != null && (app.view.future || index <= app.step);
    const at = hovered ? index : step;
    outputs.forEach(([column, output]) => {
      output.textContent = number(app.run.at(column, at));
    });
    root.classList.toggle("hovered", hovered);
  }

  function build(run) {
    const { main, lines } = series(run);
    const now = JSON.stringify([
      run.world,
      run.steps,
      lines,
      looks(app),
      canvas.clientWidth,
      canvas.clientHeight,
    ]);
    if (now === made && plot) {
      plot.batch(() => {
        // one drawing; the x scale stays, and with it a zoom
        plot.setData(data(run, lines), false);
        plot.setScale("y", { min: null, max: null });
      });
      return;
    }
    made = now;
    plot?.destroy();
    outputs = main.map(([column, ink, label, key]) => {
      const output = h("output", {});
      return [
        column,
        output,
        h(
          "span",
          { class: "value", style: `--own:var(--${ink})`, "data-term": key, tabindex: "0" },
          `${label} `,
          output,
        ),
      ];
    });
    values.replaceChildren(...outputs.map((o) => o[2]));
    plot = new uPlot(options(run, lines), data(run, lines), canvas);
    plot.over.append(curtain, level, cursor);
  }

  return {
    root,
    update(run) {
      root.hidden = spec.only ? !spec.only(run) : false;
      if (!root.hidden) build(run);
    },
    seek: place,
    move,
    destroy: () => plot?.destroy(),
  };
}

function bounds(spec, run, low, high) {
  const level = spec.level?.(run)[0];
  let bottom = Math.min(low ?? 0, spec.from ?? Infinity);
  let top = Math.max(high ?? 1, level ?? -Infinity);
  if (top - bottom < 1e-9) {
    top += 0.5;
    bottom -= spec.from === 0 ? 0 : 0.5;
  }
  const room = 0.06 * (top - bottom);
  return [spec.from === 0 && bottom === 0 ? 0 : bottom - room, top + room];
}

// A dotted line at each intervention.
function marks(u, app) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  ctx.strokeStyle = colour(app.root, "event");
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { step } of app.run.interventions) {
    const x = Math.round(u.valToPos(step, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

export function charts(app) {
  const all = CHARTS.map((spec) => chart(app, spec));
  const root = h(
    "div",
    { class: "charts", role: "group", "aria-label": "Plots up to the playhead" },
    all.map((c) => c.root),
  );
  const live = () => all.filter((c) => !c.root.hidden);
  return {
    root,
    update: (run) => {
      all.forEach((c) => c.update(run));
    },
    seek: (step) => {
      live().forEach((c) => c.seek(step));
    },
    move: () => {
      live().forEach((c) => c.move());
    },
    destroy: () => all.forEach((c) => c.destroy()),
  };
}
