// A published figure: its points as the paper gives them, "≈" where they were read off a curve.
import { h, maths } from "../shared/dom.js";
import { svg, ticks } from "../shared/svg.js";
import { text } from "./chart.js";
import { html } from "./contents.js";

const HUES = ["policy", "chosen", "rejected", "optimum", "reference"];
const amount = (point) => `${point.approximate ? "≈ " : ""}${point.y}`;

// A colour per series: its role's, else the next that is free; after five they are dashed.
function hues(series) {
  const taken = series.map((one) => one.role).filter(Boolean);
  const free = HUES.filter((name) => !taken.includes(name));
  return series.map((one) => one.role || free.shift() || `${HUES[taken.length % HUES.length]} again`);
}

function bars(figure) {
  const { series, y_low: low, y_high: high, baseline } = figure;
  const hue = hues(series);
  const place = (y) => (100 * (y - low)) / (high - low);
  const names = [...new Set(series.flatMap((one) => one.points.map((point) => String(point.x))))];
  return h(
    "div",
    { class: "l-bars" },
    names.map((name) =>
      h(
        "div",
        { class: "l-category" },
        h("span", { class: "l-name" }, name),
        h(
          "span",
          { class: "l-values" },
          series.flatMap((one, i) =>
            one.points
              .filter((point) => String(point.x) === name)
              .map((point) =>
                h(
                  "span",
                  { class: "l-row" },
                  h(
                    "span",
                    { class: "l-track", title: `${one.name}: ${amount(point)}` },
                    h("i", { class: `l-fill ${hue[i]}`, style: `transform:scaleX(${place(point.y) / 100})` }),
                    baseline === null ? null : h("i", { class: "l-base", style: `left:${place(baseline)}%` }),
                  ),
                  h("span", { class: "l-share" }, amount(point)),
                ),
              ),
          ),
        ),
      ),
    ),
    baseline === null
      ? null
      : h("p", { class: "hint" }, `The thin line: ${figure.baseline_label || baseline}`),
  );
}

function curves(figure) {
  const [WIDE, high] = [520, 260];
  const hue = hues(figure.series);
  const box = { left: 46, right: 14, top: 10, bottom: 36 };
  const xs = figure.series.flatMap((one) => one.points.map((point) => point.x));
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const x = (v) => box.left + ((WIDE - box.left - box.right) * (v - first)) / (last - first || 1);
  const y = (v) =>
    high - box.bottom - ((high - box.top - box.bottom) * (v - figure.y_low)) / (figure.y_high - figure.y_low);
  const base = figure.baseline;
  return svg(
    "svg",
    {
      viewBox: `0 0 ${WIDE} ${high}`,
      class: "l-chart l-wide",
      role: "img",
      "aria-label": `${figure.y_label} against ${figure.x_label}; the numbers are in the table below`,
    },
    ticks(figure.y_low, figure.y_high, 5)
      .map((v) => [
        svg("line", { class: "l-grid", x1: box.left, x2: WIDE - box.right, y1: y(v), y2: y(v) }),
        text(box.left - 5, y(v) + 4, Number(v.toFixed(4)), "end"),
      ])
      .flat(),
    (new Set(xs).size > 6 ? ticks(first, last, 6) : [...new Set(xs)]).map((v) =>
      text(x(v), high - box.bottom + 15, Number(v.toFixed(4))),
    ),
    text((WIDE + box.left) / 2, high - 4, figure.x_label),
    base === null
      ? null
      : [svg("line", { class: "l-ceiling", x1: box.left, x2: WIDE - box.right, y1: y(base), y2: y(base) })],
    figure.series.flatMap((one, i) => [
      svg("path", {
        class: `l-line-path ${hue[i]}`,
        d: one.points.map((p, k) => `${k ? "L" : "M"}${x(p.x)} ${y(p.y)}`).join(""),
      }),
      ...one.points.map((p) =>
        svg(
          "circle",
          { class: `l-dot ${hue[i]}`, cx: x(p.x), cy: y(p.y), r: 4 },
          svg("title", {}, `${one.name}: ${amount(p)}`),
        ),
      ),
    ]),
  );
}

function numbers(data) {
  return h(
    "details",
    { class: "l-data" },
    h("summary", {}, "The numbers"),
    h(
      "div",
      { class: "table", tabindex: "0", role: "group", "aria-label": "The numbers" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            [data.x_label || "case", "series", data.y_label].map((word) =>
              h("th", { scope: "col" }, maths(word)),
            ),
          ),
        ),
        h(
          "tbody",
          {},
          data.series.flatMap((one) =>
            one.points.map((point) =>
              h("tr", {}, h("td", {}, String(point.x)), h("td", {}, one.name), h("td", {}, amount(point))),
            ),
          ),
        ),
      ),
    ),
  );
}

export function figure(data) {
  const several = data.series.length > 1;
  const hue = hues(data.series);
  const guessed = data.series.some((one) => one.points.some((point) => point.approximate));
  return h(
    "figure",
    { class: "l-figure l-published", "data-figure": data.key },
    html("h3", {}, data.title),
    h("p", { class: "hint" }, maths(data.y_label)),
    several
      ? h(
          "p",
          { class: "l-legend" },
          data.series.map((one, i) =>
            h("span", { class: "l-keyed" }, h("i", { class: `l-fill ${hue[i]}` }), maths(one.name)),
          ),
          data.kind === "line" && data.baseline !== null
            ? h("span", { class: "l-keyed" }, h("i", { class: "l-dashed" }), maths(data.baseline_label))
            : null,
        )
      : null,
    data.kind === "bar" ? bars(data) : curves(data),
    guessed ? h("p", { class: "hint" }, "≈ Read off the published curve, not printed in the paper.") : null,
    h(
      "figcaption",
      {},
      data.caption ? html("p", {}, data.caption) : null,
      data.not_claimed ? html("p", {}, `<b>Not claimed:</b> ${data.not_claimed}`) : null,
      html("p", { class: "l-source" }, `Source: ${data.source}`),
    ),
    numbers(data),
  );
}
