// What every uPlot of the app looks like, and what is drawn over it.
import uPlot from "../vendor/uplot/uPlot.esm.js";

/** The colour that a custom property of the stylesheets holds, such as "policy" or "grid". */
export const colour = (node, name) => getComputedStyle(node).getPropertyValue(`--${name}`).trim();

/** Four digits at most, with a true minus. */
export const plainTick = (x) => String(Number(x.toPrecision(4))).replace("-", "−");

/**
 * Options that all plots share; ``own`` has what a plot adds, and its ``scales`` are those of y.
 * @param {HTMLElement} root  where the colours come from
 * @param {HTMLElement} canvas  what the plot fills
 * @param {{ series: uPlot.Series[], large?: boolean, right?: number, range?: uPlot.Range.Function,
 *   xRange?: uPlot.Range.Function, xTick?: (x: number) => string, yTick?: (x: number) => string,
 *   hooks?: uPlot.Hooks.Arrays, bands?: uPlot.Band[] }} own
 * @returns {uPlot.Options}
 */
export function plotOptions(root, canvas, own) {
  const axis = {
    stroke: colour(root, "ink"),
    font: `${own.large ? 15 : 11}px system-ui, sans-serif`,
    grid: { stroke: colour(root, "grid"), width: 1 },
    ticks: { show: false },
    gap: 3,
  };
  const texts = (tick) => (_, ticks) => ticks.map(tick);
  return {
    width: Math.max(canvas.clientWidth, 120),
    height: Math.max(canvas.clientHeight, 60),
    legend: { show: false },
    cursor: { y: false, points: { size: 5 }, drag: { x: true, y: false, dist: 8 } },
    padding: [6, own.right ?? 12, 0, 0],
    scales: { x: { time: false, range: own.xRange }, y: { range: own.range } },
    axes: [
      { ...axis, size: own.large ? 24 : 18, space: 45, values: own.xTick && texts(own.xTick) },
      { ...axis, size: own.large ? 52 : 40, space: 26, values: texts(own.yTick ?? plainTick) },
    ],
    series: [{}, ...own.series],
    bands: own.bands,
    hooks: own.hooks,
  };
}

/** New rows in one drawing; the x scale stays, and with it a zoom. */
export function setRows(plot, rows) {
  plot.batch(() => {
    plot.setData(rows, false);
    plot.setScale("y", { min: null, max: null });
  });
}

/**
 * A y range with some room around it; one that starts at 0 keeps the 0 at its edge.
 * @param {number} bottom
 * @param {number} top
 * @param {number} [from]  the value that the scale reaches down to
 * @returns {[number, number]}
 */
export function roomy(bottom, top, from, least = 1e-9) {
  if (top - bottom < least) {
    top += 0.5;
    bottom -= from === 0 ? 0 : 0.5;
  }
  const room = 0.06 * (top - bottom);
  return [from === 0 && bottom === 0 ? 0 : bottom - room, top + room];
}

/**
 * Vertical lines at some steps.
 * @param {uPlot} u
 * @param {{ step: number, ink: string, dash: number[] }[]} lines
 */
export function verticals(u, lines) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  for (const { step, ink, dash } of lines) {
    const x = Math.round(u.valToPos(step, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = ink;
    ctx.setLineDash(dash.map((d) => d * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

export { uPlot };
