// A small line chart in SVG, drawn from computed numbers only: one metric, uncovered up to a step.
import { number } from "../shared/format.js";
import { svg, tickText, ticks } from "../shared/svg.js";

const BOX = { left: 46, right: 10, top: 10, bottom: 30 };
let count = 0;

export function range(values, ...more) {
  const all = [...values, ...more.filter((x) => x != null)];
  let low = Math.min(...all);
  let high = Math.max(...all);
  const pad = (high - low || Math.abs(high) || 1) * 0.06;
  if (low < 0 || low > pad * 3) low -= pad;
  else low = 0;
  return [low, high + pad];
}

// ``spec``: t, values, low, high, steps, label, ceiling, changes; ``role`` names the colour of the line.
export function lineChart(spec) {
  const {
    t,
    values,
    low,
    high,
    steps,
    ceiling = null,
    changes = [],
    role = "policy",
    x_label = "step",
    label,
    wide: WIDE = 280,
    tall: HIGH = 150,
  } = spec;
  const x = (step) => BOX.left + (WIDE - BOX.left - BOX.right) * (steps ? step / steps : 0);
  const y = (value) =>
    HIGH - BOX.bottom - (HIGH - BOX.top - BOX.bottom) * ((value - low) / (high - low || 1));
  const id = `l-clip-${(count += 1)}`;
  const clip = svg("rect", { x: 0, y: 0, width: WIDE, height: HIGH });
  const dot = svg("circle", { r: 4, class: `l-dot ${role}` });
  const line =
    values &&
    svg("path", {
      class: `l-line-path ${role}`,
      "clip-path": `url(#${id})`,
      d: values.map((v, i) => `${i ? "L" : "M"}${x(t[i]).toFixed(2)} ${y(v).toFixed(2)}`).join(""),
    });
  const ys = ticks(low, high);
  const root = svg(
    "svg",
    { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "l-chart", role: "img", "aria-label": label },
    svg("defs", {}, svg("clipPath", { id }, clip)),
    ys
      .map((v) => [
        svg("line", { class: "l-grid", x1: BOX.left, x2: WIDE - BOX.right, y1: y(v), y2: y(v) }),
        text(BOX.left - 5, y(v) + 4, tickText(v, high - low), "end"),
      ])
      .flat(),
    ticks(0, steps, 4).map((s) => text(x(s), HIGH - BOX.bottom + 15, String(Math.round(s)), "middle")),
    text((WIDE + BOX.left) / 2, HIGH - 2, x_label, "middle"),
    ceiling === null
      ? null
      : [
          svg("line", {
            class: "l-ceiling",
            x1: BOX.left,
            x2: WIDE - BOX.right,
            y1: y(ceiling),
            y2: y(ceiling),
          }),
          text(WIDE - BOX.right, y(ceiling) - 4, `ceiling ${number(ceiling)}`, "end"),
        ],
    changes.map((change) =>
      svg("line", {
        class: "l-change",
        x1: x(change.step),
        x2: x(change.step),
        y1: BOX.top,
        y2: HIGH - BOX.bottom,
      }),
    ),
    line,
    values && dot,
  );
  return {
    root,
    x,
    y,
    box: { ...BOX, wide: WIDE, tall: HIGH },
    seek(frame) {
      clip.setAttribute("width", x(t[frame]));
      dot.setAttribute("cx", x(t[frame]));
      dot.setAttribute("cy", y(values[frame]));
    },
  };
}

export function text(x, y, words, anchor = "middle") {
  const parts = String(words).split(/_(ref|w|l)(?![a-z])/);
  return svg(
    "text",
    { x, y, "text-anchor": anchor },
    parts.map((part, i) => (i % 2 ? svg("tspan", { class: "l-low" }, part) : part)),
  );
}
