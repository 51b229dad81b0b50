// A few lines over the DOM, and how numbers are written everywhere.

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === false || value == null) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "style") node.style.cssText = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  if (tag === "output") node.setAttribute("aria-live", "off"); // or a screen reader would say every number of every step
  node.append(...children.flat().filter((child) => child != null));
  return node;
}

export const number = (x, digits = 3) => {
  if (x == null || !Number.isFinite(x)) return "–";
  if (Math.abs(x) < 1e-12) return (0).toFixed(digits); // what float32 leaves of an exact 0
  const text =
    Math.abs(x) >= 1e5 || (x !== 0 && Math.abs(x) < 0.5 * 10 ** -digits)
      ? x.toExponential(1)
      : Math.abs(x) >= 100
        ? x.toFixed(1)
        : Math.abs(x) >= 10
          ? x.toFixed(Math.min(2, digits))
          : x.toFixed(digits);
  return text.replaceAll("-", "−");
};

// A policy's probability: a softmax never reaches 0 or 1, even where float32 does.
export const percent = (p) => {
  if (p < 0.0005) return "< 0.1 %";
  if (p > 0.9995) return "> 99.9 %";
  return `${(100 * p).toFixed(1)} %`;
};

// A share that people state, exact at both ends.
export const share = (p) => `${Number((100 * p).toFixed(1))} %`;

// Text with its indices set low: π_ref, y_w, y_l.
export const maths = (text) =>
  text
    .split(/_(ref|w|l)(?![a-z])/)
    .map((part, i) => (i % 2 ? h("sub", {}, part) : part))
    .filter((part) => part !== "");

export const short = (text, most = 34) =>
  text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text;

// Whether a slider is in the hand: only then may it differ from what is in force at the playhead.
export function holding(slider) {
  let held = false;
  slider.addEventListener("pointerdown", () => {
    held = true;
  });
  for (const end of ["pointerup", "touchend", "touchcancel", "change", "blur"])
    slider.addEventListener(end, () => {
      held = false;
    });
  return () => held;
}

export function download(name, content, type) {
  const url = content.startsWith?.("data:") ? content : URL.createObjectURL(new Blob([content], { type }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  if (url.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
