// A few lines over the DOM.

/**
 * An element: properties that begin with "on" are listeners, true sets an empty attribute, false and null none.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} props
 * @param {...any} children
 * @returns {HTMLElementTagNameMap[K]}
 */
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

/**
 * Text with its indices set low: π_ref, y_w, y_l.
 * @param {string} text
 * @returns {(string | HTMLElement)[]}
 */
export const maths = (text) =>
  text
    .split(/_(ref|w|l|D|U|b|r|c)(?![a-z])/)
    .map((part, i) => (i % 2 ? h("sub", {}, part) : part))
    .filter((part) => part !== "");

/**
 * Whether a slider is in the hand: only then may it differ from what is in force at the playhead.
 * @param {HTMLElement} slider
 */
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

/**
 * @param {string} name
 * @param {string} content  the file's text, or a data: address
 * @param {string} type
 */
export function download(name, content, type) {
  const url = content.startsWith("data:") ? content : URL.createObjectURL(new Blob([content], { type }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  if (url.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** @param {string | URL} url */
export async function fetchJson(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

function style(href) {
  if ([...document.head.querySelectorAll("link")].some((link) => link.href === href))
    return Promise.resolve();
  return new Promise((done) => {
    document.head.append(h("link", { rel: "stylesheet", href, onload: done, onerror: done }));
  });
}

/**
 * Loads each stylesheet once; in order, because later rules win.
 * @param {string} base  the address that the paths are relative to: import.meta.url
 * @param {string[]} paths
 */
export const loadStyles = (base, paths) => Promise.all(paths.map((path) => style(new URL(path, base).href)));
