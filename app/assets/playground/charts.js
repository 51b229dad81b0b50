// Line charts that show the run up to the playhead: drawn once in full, the future under a curtain.
import { h } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { colour, plotOptions, setRows, uPlot, verticals } from "../shared/line_plot.js";
import { term } from "../shared/terms.js";

import { chartList } from "./chart_list.js";
import { LOOKS } from "./compare.js";
import { eased, extent, rangeOf } from "./ranges.js";
import { stageStarts } from "./transport.js";
import { plotKeys } from "./views.js";

const CALM = matchMedia("(prefers-reduced-motion: reduce)");

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

function options(app, lines, canvas, range, hooks) {
  const large = app.view.presenter;
  return plotOptions(app.root, canvas, {
    large,
    right: large ? 20 : 13,
    xRange: (u, low, high) => [low ?? 0, high ?? 1],
    range,
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
    this.scope = h("span", { class: "scope" }); // whose numbers: a pair's, or a mean
    this.rows = [];
    this.range = [0, 1];
    this.canvas = h("div", { class: "canvas" });
    this.root = h(
      "figure",
      { class: `chart chart-${spec.key}`, "data-chart": spec.key },
      h("figcaption", {}, term(spec.title[0], spec.title[1]), this.scope, this.values),
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
    const keys = plotKeys(run, this.app.view.plots);
    this.root.hidden = (this.spec.only && !this.spec.only(run)) || (keys && !keys.includes(this.spec.key));
    this.root.style.order = keys ? String(keys.indexOf(this.spec.key)) : "";
    this.root.classList.toggle("first", keys?.[0] === this.spec.key);
    if (!this.root.hidden) this.build(run);
  }

  build(run) {
    const { app, canvas } = this;
    const { main, lines } = lineList(app, this.spec, run);
    this.rows = rowsOf(run, lines);
    this.range = this.goal();
    this.scope.textContent = this.spec.scope?.(run, app.view.selected) ?? "";
    const now = JSON.stringify([
      run.world,
      run.steps,
      lines,
      looks(app),
      canvas.clientWidth,
      canvas.clientHeight,
    ]);
    if (now === this.made && this.plot) {
      setRows(this.plot, this.rows);
      return;
    }
    this.made = now;
    this.plot?.destroy();
    this.outputs = captionOf(main);
    this.values.replaceChildren(...this.outputs.map((o) => o[2]));
    const hooks = { draw: [(u) => this.drawn(u)], setCursor: [(u) => this.read(u.cursor.idx)] };
    const own = options(app, lines, canvas, () => this.range, hooks);
    this.plot = new uPlot(own, this.rows, canvas);
    this.plot.over.append(this.curtain, this.level, this.cursor);
  }

  drawn(u) {
    marks(u, this.app);
    this.across = u.bbox.width / devicePixelRatio;
    this.place();
    this.seekLevel(this.app.step);
  }

  // The y range of what is revealed at the playhead; of a zoom, of the part that it shows.
  goal() {
    const { step, view, run } = this.app;
    const { min = 0, max = run.steps } = this.plot?.scales.x ?? {};
    const last = Math.min(view.future ? run.steps : step, Math.ceil(max ?? run.steps));
    const level = this.spec.level?.(run, step)?.[0];
    return rangeOf(extent(this.rows.slice(1), Math.floor(min ?? 0), last), this.spec.from, level);
  }

  // Brings the range nearer to what it must be: at once, or while it plays a frame's way.
  fit() {
    const goal = this.goal();
    if (goal.every((y, i) => y === this.range[i])) return;
    this.range = this.app.view.playing && !CALM.matches ? eased(this.range, goal) : goal;
    this.plot.setScale("y", { min: this.range[0], max: this.range[1] });
  }

  // Every frame: where the playhead is. Every step: what it reads.
  move() {
    if (!this.plot) return;
    this.fit();
    this.place();
  }

  place() {
    const x = this.plot.valToPos(this.app.view.playhead, "x");
    const edge = Math.max(0, Math.min(this.across, x));
    this.curtain.style.transform = this.cursor.style.transform = `translateX(${edge}px)`;
    this.cursor.hidden = x < -1 || x > this.across + 1;
  }

  seek(step) {
    if (!this.plot) return;
    this.move();
    this.curtain.hidden = this.app.view.future;
    this.seekLevel(step);
    this.read(null, step);
  }

  seekLevel(step) {
    const named = this.spec.level?.(this.app.run, step);
    this.level.hidden = !named;
    if (named) {
      const y = this.plot.valToPos(named[0], "y");
      this.level.style.transform = `translateY(${y}px)`;
      this.level.classList.toggle("under", y < 18);
      this.name.textContent = `${named[1]} = ${number(named[0], named[1] === "log 2" ? 4 : 3)}`;
    }
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

const option = ({ spec }, first) =>
  h("option", { value: spec.key, selected: spec.key === first }, spec.title[1]);

export function charts(app) {
  const all = chartList().map((spec) => new Chart(app, spec));
  const root = h(
    "div",
    { class: "charts", role: "group", "aria-label": "Plots up to the playhead" },
    all.map((c) => c.root),
  );
  const one = h("select", {
    class: "one",
    "aria-label": "Plot shown with the bars",
    onchange: () => app.showPlots(one.value),
  });
  const more = h("button", {
    type: "button",
    class: "small more",
    onclick: () => app.showPlots(app.view.plots === "all" ? "" : "all"),
  });
  const whole = h("div", {}, root, h("p", { class: "more-line" }, one, more));
  const live = () => all.filter((c) => !c.root.hidden);
  return {
    root: whole,
    update: (run) => {
      const every = app.view.plots === "all";
      more.textContent = every ? "Fewer plots" : "More plots";
      more.setAttribute("aria-expanded", String(every));
      root.classList.toggle("few", !every);
      all.forEach((c) => c.update(run));
      const offered = all.filter((c) => !c.spec.only || c.spec.only(run));
      one.hidden = every;
      one.replaceChildren(...offered.map((c) => option(c, plotKeys(run, app.view.plots)?.[0])));
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
