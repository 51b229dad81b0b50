// Reward against KL: the exact frontier, best-of-N, the tangent at a chosen β, and the runs as trails.
// Every colour is written into the picture, so that what is saved is what is seen.
import { number } from "../shared/format.js";
import { svg, tickText, ticks } from "../shared/svg.js";

const BOX = { left: 58, right: 18, top: 16, bottom: 46 };

/** What the picture is drawn with: colours by role from the page's styles, and how large its type is. */
export function paletteOf(root) {
  const style = getComputedStyle(root);
  const names = ["ink", "soft", "faint", "grid", "card", "optimum", "reference"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** The ranges that hold everything drawn, with some room. */
export function extent(page, runs) {
  const kl = [page.end.kl, ...page.best.map((b) => b.kl), ...runs.flatMap((run) => run.kl)];
  const reward = [
    page.start.reward,
    page.end.reward,
    ...page.best.map((b) => b.reward),
    ...runs.flatMap((run) => run.reward),
  ];
  const [least, most] = reward.reduce(([a, b], r) => [Math.min(a, r), Math.max(b, r)], [Infinity, -Infinity]);
  const room = (most - least || 1) * 0.07;
  const far = kl.reduce((a, b) => Math.max(a, b), 0) || 1;
  return { x: [0, far * 1.06], y: [least - room, most + room * 1.6] };
}

const joined = (points) => (points.length ? `M${points.join("L")}` : "");

// π_ref with its index set low, in any browser.
const indexed = (words) => {
  const [before, ...after] = words.split("_ref");
  if (!after.length) return [words];
  return [
    before,
    svg("tspan", { dy: "0.3em", "font-size": "75%" }, "ref"),
    svg("tspan", { dy: "-0.23em" }, after.join("")),
  ];
};

export class Picture {
  /**
   * @param {{ width: number, height: number, palette: Record<string, string>, size?: number,
   *   look: (name: string) => { ink: string, dash: number[] | null }, label?: string }} options
   */
  constructor(options) {
    this.options = options;
    const { width, height, label } = options;
    this.size = options.size ?? 13;
    this.root = svg("svg", {
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": label,
      "font-family": "system-ui, sans-serif",
      "font-size": this.size,
    });
    this.drawn = [];
  }

  x(kl) {
    const { width } = this.options;
    const [low, high] = this.range.x;
    return BOX.left + ((width - BOX.left - BOX.right) * (kl - low)) / (high - low);
  }

  y(reward) {
    const { height } = this.options;
    const [low, high] = this.range.y;
    return height - BOX.bottom - ((height - BOX.top - BOX.bottom) * (reward - low)) / (high - low);
  }

  at({ kl, reward }) {
    return `${this.x(kl).toFixed(1)} ${this.y(reward).toFixed(1)}`;
  }

  text(x, y, words, more = {}) {
    const { ink, card } = this.options.palette;
    const halo = { "paint-order": "stroke", stroke: card, "stroke-width": 3, "stroke-linejoin": "round" };
    return svg("text", { x, y, fill: ink, ...halo, ...more }, indexed(words));
  }

  /** Draws all but the trails' course, which ``seek`` draws. */
  draw(page, runs, beta) {
    this.page = page;
    this.range = extent(page, runs);
    const clip = `frontier-clip-${this.options.width}`;
    const { width, height } = this.options;
    const inside = {
      x: BOX.left,
      y: BOX.top,
      width: width - BOX.left - BOX.right,
      height: height - BOX.top - BOX.bottom,
    };
    this.trails = svg("g", { "clip-path": `url(#${clip})`, fill: "none", "pointer-events": "none" });
    this.drawn = runs.map((run) => this.trail(run));
    this.trails.append(...this.drawn.map((one) => one.group));
    this.slope = svg("g", { "clip-path": `url(#${clip})` });
    this.handle = svg("circle", { r: 8, class: "handle" });
    this.root.replaceChildren(
      svg("defs", {}, svg("clipPath", { id: clip }, svg("rect", inside))),
      this.beyond(),
      this.axes(),
      this.bestOf(),
      this.slope,
      this.trails,
      this.frontier(),
      this.start(),
      this.handle,
    );
    this.tangent(beta);
  }

  axes() {
    const { palette, width, height } = this.options;
    const line = { stroke: palette.grid, "stroke-width": 1 };
    const bottom = height - BOX.bottom;
    const across = ticks(...this.range.x, Math.max(4, width / 110)).map((v) => [
      svg("line", { ...line, x1: this.x(v), x2: this.x(v), y1: BOX.top, y2: bottom }),
      this.text(this.x(v), bottom + this.size + 4, tickText(v, this.range.x[1]), { "text-anchor": "middle" }),
    ]);
    const [low, high] = this.range.y;
    const up = ticks(low, high, Math.max(3, height / 70)).map((v) => [
      svg("line", { ...line, y1: this.y(v), y2: this.y(v), x1: BOX.left, x2: width - BOX.right }),
      this.text(BOX.left - 7, this.y(v) + this.size * 0.35, tickText(v, high - low), {
        "text-anchor": "end",
      }),
    ]);
    const middle = (BOX.top + bottom) / 2;
    return svg(
      "g",
      {},
      across.flat(),
      up.flat(),
      this.text((BOX.left + width - BOX.right) / 2, height - 6, "KL(π‖π_ref), nats", {
        "text-anchor": "middle",
        "font-weight": 600,
      }),
      this.text(14, middle, "true reward", {
        "text-anchor": "middle",
        "font-weight": 600,
        transform: `rotate(-90 14 ${middle})`,
      }),
    );
  }

  /** The line and, past its end, the level that no further KL raises. */
  points() {
    const { line, start, end } = this.page;
    return [start, ...line, end].filter(({ kl }) => kl >= 0);
  }

  // Where no policy can be.
  beyond() {
    const { palette, width } = this.options;
    const edge = `${(width - BOX.right).toFixed(1)}`;
    const top = `${BOX.top}`;
    const line = joined(this.points().map((p) => this.at(p)));
    const level = this.y(this.page.end.reward).toFixed(1);
    const path = `${line}L${edge} ${level}L${edge} ${top}L${BOX.left} ${top}Z`;
    return svg("path", { d: path, fill: palette.faint, "fill-opacity": 0.22, class: "beyond" });
  }

  frontier() {
    const { palette, width } = this.options;
    const { end, line, marked } = this.page;
    const ink = { stroke: palette.optimum, fill: "none" };
    const level = this.y(end.reward);
    const words = { fill: palette.optimum, "font-weight": 600 };
    return svg(
      "g",
      { class: "exact" },
      svg("path", { ...ink, "stroke-width": 3.5, d: joined(this.points().map((p) => this.at(p))) }),
      svg("line", {
        ...ink,
        "stroke-width": 1.5,
        "stroke-dasharray": "2 4",
        x1: this.x(end.kl),
        x2: width - BOX.right,
        y1: level,
        y2: level,
      }),
      marked.map((i) => this.diamond(line[i])),
      this.text(width - BOX.right - 4, level - 9, "exact frontier: no policy is above it", {
        ...words,
        "text-anchor": "end",
      }),
    );
  }

  diamond(point) {
    const { palette } = this.options;
    const [x, y] = [this.x(point.kl), this.y(point.reward)];
    const d = `M${x} ${y - 6}L${x + 6} ${y}L${x} ${y + 6}L${x - 6} ${y}Z`;
    return svg("path", { d, fill: palette.optimum, stroke: palette.card, "stroke-width": 1.5 });
  }

  bestOf() {
    const { palette } = this.options;
    const { curve, best } = this.page;
    let last = -Infinity; // marks that lie on each other share the first one's name
    return svg(
      "g",
      { class: "best" },
      svg("path", {
        d: joined(curve.map((p) => this.at(p))),
        stroke: palette.ink,
        "stroke-width": 1.6,
        "stroke-dasharray": "5 4",
        fill: "none",
      }),
      best.flatMap((mark) => {
        const [x, y] = [this.x(mark.kl), this.y(mark.reward)];
        const said = x - last > 34;
        if (said) last = x;
        return [
          svg("rect", {
            x: x - 4.5,
            y: y - 4.5,
            width: 9,
            height: 9,
            fill: palette.ink,
            stroke: palette.card,
          }),
          said ? this.beside(x, y, `N=${mark.n}`) : null,
        ];
      }),
    );
  }

  // A name below and right of a mark, or left of it where the picture ends.
  beside(x, y, words) {
    const right = x + 60 < this.options.width;
    const place = { fill: this.options.palette.soft, "text-anchor": right ? "start" : "end" };
    return this.text(right ? x + 8 : x - 2, y + this.size + 5, words, place);
  }

  start() {
    const { palette } = this.options;
    const { start } = this.page;
    const [x, y] = [this.x(start.kl), this.y(start.reward)];
    return svg(
      "g",
      {},
      svg("circle", {
        cx: x,
        cy: y,
        r: 6,
        fill: palette.reference,
        stroke: palette.card,
        "stroke-width": 1.5,
      }),
      this.text(x + 10, y + this.size + 6, "π_ref", { fill: palette.soft }),
    );
  }

  /** The tangent at the ``beta``th point of the line: its slope is that point's β. */
  tangent(index) {
    const { palette } = this.options;
    const point = this.page.line[index];
    const [left, right] = this.range.x;
    const end = (kl) => this.at({ kl, reward: point.reward + point.beta * (kl - point.kl) }).split(" ");
    const [[x1, y1], [x2, y2]] = [end(left), end(right)];
    const line = { x1, y1, x2, y2, stroke: palette.optimum, "stroke-width": 1.5, "stroke-dasharray": "8 5" };
    this.slope.replaceChildren(svg("line", line));
    const place = { cx: this.x(point.kl), cy: this.y(point.reward) };
    const looks = { ...place, fill: palette.card, stroke: palette.optimum, "stroke-width": 3 };
    for (const [key, value] of Object.entries(looks)) this.handle.setAttribute(key, String(value));
  }

  trail(run) {
    const { ink, dash } = this.options.look(run.method);
    const path = svg("path", {
      stroke: ink,
      "stroke-width": 1.8,
      "stroke-dasharray": dash?.join(" "),
      opacity: 0.75,
    });
    const head = run.overflows
      ? svg("path", { stroke: ink, "stroke-width": 2.5, d: "M-5 -5L5 5M-5 5L5 -5" })
      : svg("circle", { r: 5, fill: ink, stroke: this.options.palette.card, "stroke-width": 1.2 });
    const xs = run.kl.map((kl) => this.x(kl));
    const ys = run.reward.map((reward) => this.y(reward));
    const points = xs.map((x, i) => `${x.toFixed(1)} ${ys[i].toFixed(1)}`);
    head.setAttribute("class", "head");
    return { run, path, head, xs, ys, points, group: svg("g", { class: "trail" }, path, head) };
  }

  /** The trails up to a place among the kept steps, which may lie between two of them. */
  seek(place) {
    for (const one of this.drawn) {
      const last = one.points.length - 1;
      const whole = Math.min(Math.floor(place), last);
      const part = Math.min(place, last) - whole;
      const between = (v) => (part > 0 ? v[whole] + part * (v[whole + 1] - v[whole]) : v[whole]);
      const [x, y] = [between(one.xs), between(one.ys)];
      one.path.setAttribute(
        "d",
        joined([...one.points.slice(0, whole + 1), `${x.toFixed(1)} ${y.toFixed(1)}`]),
      );
      one.head.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    }
  }

  /** Brings some runs to the front and lets the others fade; all are alike where ``chosen`` is null. */
  stress(chosen) {
    for (const { run, path, group } of this.drawn) {
      const on = chosen?.(run);
      group.setAttribute("opacity", chosen && !on ? "0.15" : "1");
      path.setAttribute("stroke-width", on ? "3" : "1.8");
      if (on) this.trails.append(group);
    }
  }

  /** The point nearest to a place in the picture, within ``reach`` pixels; heads before the rest of a trail. */
  nearest(px, py, place, reach) {
    let found = null;
    let least = reach;
    const look = (x, y, bonus, what) => {
      const far = Math.hypot(x - px, y - py) - bonus;
      if (far < least) [least, found] = [far, { x, y, ...what }];
    };
    for (const { run, xs, ys } of this.drawn) {
      const last = Math.min(Math.round(place), xs.length - 1);
      for (let i = 1; i <= last; i += 1) look(xs[i], ys[i], i === last ? 5 : 0, { run, index: i });
    }
    for (const mark of this.page.best) look(this.x(mark.kl), this.y(mark.reward), 3, { best: mark });
    for (const i of this.page.marked) {
      const exact = this.page.line[i];
      look(this.x(exact.kl), this.y(exact.reward), 3, { exact });
    }
    return found;
  }

  /** The point of the line nearest to a place in the picture. */
  onLine(px, py) {
    const far = ({ kl, reward }) => Math.hypot(this.x(kl) - px, this.y(reward) - py);
    return this.page.line.reduce((best, p, i, all) => (far(p) < far(all[best]) ? i : best), 0);
  }
}

/** "KL 1.408, reward 1.188" */
export const stands = ({ kl, reward }) => `KL ${number(kl)} nats, reward ${number(reward)}`;
