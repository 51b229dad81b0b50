// Line charts that show the run up to the playhead: drawn once in full, the future under a curtain.
import { h } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { colour, plotOptions, roomy, setRows, uPlot, verticals } from "../shared/line_plot.js";
import { term } from "../shared/terms.js";

import { chartList } from "./chart_list.js";
import { LOOKS } from "./compare.js";
import { stageStarts } from "./transport.js";

const looks = (app) => `${app.root.className} ${app.view.presenter}`; // what the colours and sizes depend on

// The lines of a chart: faint ones, its own, and those of the run that it is compared with.
function lineList(app, spec, run) {
  const main = spec.main(run, app.view.selected);
  const faint = spec.faint?.(run) ?? [];
  const own = main.map(([name, ink]) => ({ name, ink }));
  const beside = run.others.flatMap((other, i) =>
    own.filter((line) => other.rows.has(line.name)).map(({ name }) => ({ name, ...LOOKS[i], other: i })),
  );
  const lines = [...faint.map((name) => ({ name, ink: "faint", faint: true })), ...own, ...beside];
  return { main, lines: lines.filter((line) => (run.others[line.other] ?? run).rows.has(line.name)) };
}

function rowsOf(run, lines) {
  const xs = Float32Array.from({ length: run.steps + 1 }, (_, t) => t);
  const known = (rows) =>
    rows.some(Number.isNaN) ? Array.from(rows, (x) => (Number.isNaN(x) ? null : x)) : rows;
  const padded = (rows) =>
    rows.length >= xs.length
      ? rows.slice(0, xs.length)
      : [...rows, ...new Array(xs.length - rows.length).fill(null)];
  return [xs, ...lines.map((line) => padded(known((run.others[line.other] ?? run).rows.get(line.name))))];
}

const yTick = (x) =>
  number(x, 4)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");

function options(app, spec, run, lines, canvas, hooks) {
  const large = app.view.presenter;
  return plotOptions(app.root, canvas, {
    large,
    right: large ? 20 : 13,
    xRange: (u, low, high) => [low ?? 0, high ?? 1],
    range: (u, low, high) => bounds(app, spec, run, low, high),
    xTick: String,
    yTick,
    series: lines.map((line) => ({
      stroke: colour(app.root, line.ink),
      width: (line.faint ? 1 : 2.2) * (large ? 1.7 : 1),
      dash: line.dash,
      points: { show: false },
    })),
    hooks,
  });
}

function bounds(app, spec, run, low, high) {
  const level = spec.level?.(run, app.step)?.[0];
  return roomy(Math.min(low ?? 0, spec.from ?? Infinity), Math.max(high ?? 1, level ?? -Infinity), spec.from);
}

// A dotted line at each intervention, a dashed one where a reward has been learned and its policy starts.
function marks(u, app) {
  const ink = colour(app.root, "event");
  verticals(u, [
    ...app.run.interventions.map(({ step }) => ({ step, ink, dash: [2, 3] })),
    ...stageStarts(app.run).map((step) => ({ step, ink, dash: [7, 3] })),
  ]);
}

// The caption's numbers, each [column, output, element].
const captionOf = (main) =>
  main.map(([column, ink, label, key]) => {
    const output = h("output", {});
    const props = { class: "value", style: `--own:var(--${ink})`, "data-term": key, tabindex: "0" };
    return [column, output, h("span", props, `${label} `, output)];
  });

// One chart. Its uPlot object is made anew only when the world, the theme or the size of type changes.
class Chart {
  constructor(app, spec) {
    this.app = app;
    this.spec = spec;
    this.values = h("span", { class: "values" });
    this.canvas = h("div", { class: "canvas" });
    this.root = h(
      "figure",
      { class: `chart chart-${spec.key}`, "data-chart": spec.key },
      h("figcaption", {}, term(spec.title[0], spec.title[1]), this.values),
      this.canvas,
    );
    this.curtain = h("div", { class: "curtain" });
    this.cursor = h("div", { class: "playhead" });
    this.name = h("span", {});
    this.level = h("div", { class: "level", hidden: true }, this.name); // log 2, the ceiling: known from the start
    /** @type {uPlot | null} */
    this.plot = null;
    this.outputs = [];
    this.made = "";
    this.across = 0; // width of the plotting area as last drawn
  }

  update(run) {
    this.root.hidden = this.spec.only ? !this.spec.only(run) : false;
    if (!this.root.hidden) this.build(run);
  }

  build(run) {
    const { app, canvas } = this;
    const { main, lines } = lineList(app, this.spec, run);
    const now = JSON.stringify([
      run.world,
      run.steps,
      lines,
      looks(app),
      canvas.clientWidth,
      canvas.clientHeight,
    ]);
    if (now === this.made && this.plot) {
      setRows(this.plot, rowsOf(run, lines));
      return;
    }
    this.made = now;
    this.plot?.destroy();
    this.outputs = captionOf(main);
    this.values.replaceChildren(...this.outputs.map((o) => o[2]));
    const hooks = { draw: [(u) => this.drawn(u)], setCursor: [(u) => this.read(u.cursor.idx)] };
    this.plot = new uPlot(options(app, this.spec, run, lines, canvas, hooks), rowsOf(run, lines), canvas);
    this.plot.over.append(this.curtain, this.level, this.cursor);
  }

  drawn(u) {
    marks(u, this.app);
    this.across = u.bbox.width / devicePixelRatio;
    this.seek(this.app.step);
  }

  // Every frame: where the playhead is. Every step: what it reads.
  move() {
    if (!this.plot) return;
    const x = this.plot.valToPos(this.app.view.playhead, "x");
    const edge = Math.max(0, Math.min(this.across, x));
    this.curtain.style.transform = this.cursor.style.transform = `translateX(${edge}px)`;
    this.cursor.hidden = x < -1 || x > this.across + 1;
  }

  seek(step) {
    if (!this.plot) return;
    this.move();
    this.curtain.hidden = this.app.view.future;
    const named = this.spec.level?.(this.app.run, step);
    this.level.hidden = !named;
    if (named) {
      const y = this.plot.valToPos(named[0], "y");
      this.level.style.transform = `translateY(${y}px)`;
      this.level.classList.toggle("under", y < 18);
      this.name.textContent = `${named[1]} = ${number(named[0], named[1] === "log 2" ? 4 : 3)}`;
    }
    this.read(null, step);
  }

  // The numbers in the caption: at the playhead, or under the pointer where the run is revealed there.
  read(index, step = this.app.step) {
    const hovered = index != null && (this.app.view.future || index <= this.app.step);
    this.outputs.forEach(([column, output]) => {
      output.textContent = number(this.app.run.at(column, hovered ? index : step));
    });
    this.root.classList.toggle("hovered", hovered);
  }

  destroy() {
    this.plot?.destroy();
  }
}

export function charts(app) {
  const all = chartList().map((spec) => new Chart(app, spec));
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
