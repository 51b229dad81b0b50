// A few lines over SVG, and the ticks of an axis.
const NS = "http://www.w3.org/2000/svg";

/** An element of SVG with its attributes; null sets none. */
export function svg(tag, props = {}, ...children) {
  const node = document.createElementNS(NS, tag);
  for (const [key, value] of Object.entries(props)) if (value != null) node.setAttribute(key, value);
  node.append(...children.flat().filter((child) => child != null));
  return node;
}

/** Round numbers from ``low`` to ``high``, at most ``most`` of them. */
export function ticks(low, high, most = 4) {
  const span = high - low || 1;
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => span / s <= most) ?? rough;
  const found = [];
  for (let x = Math.ceil(low / step - 1e-9) * step; x <= high + 1e-9 * span; x += step)
    found.push(Math.abs(x) < 1e-9 * span ? 0 : x);
  return found;
}

/** A tick's number, to the digits that tell it from the next. */
export const tickText = (x, span) => {
  const text =
    Math.abs(x) >= 1e4
      ? x.toExponential(0).replace("e+", "e")
      : x.toFixed(Math.max(0, Math.min(5, 1 - Math.floor(Math.log10(span / 2)))));
  return text.replace("-", "−");
};
