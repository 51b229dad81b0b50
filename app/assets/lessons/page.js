// What the lesson and glossary pages share: styles, light or dark, hovering symbols.
import { h } from "../shared/dom.js";
import { loadMath } from "./maths.js";
import { symbols } from "./symbols.js";

const STYLES = [
  "../playground/playground.css",
  "../vendor/katex/katex.min.css",
  "lessons.css",
  "panels.css",
  "hands_on.css",
  "slides.css",
  "print.css",
];

export const fetchJson = async (url) => {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
};

function style(path) {
  const { href } = new URL(path, import.meta.url);
  if ([...document.head.querySelectorAll("link")].some((link) => link.href === href))
    return Promise.resolve();
  return new Promise((done) => {
    document.head.append(h("link", { rel: "stylesheet", href, onload: done, onerror: done }));
  });
}

export async function frame(host) {
  await Promise.all([loadMath(), ...STYLES.map(style)]);
  const root = h("div", { class: "lab lessons" });
  host.replaceChildren(root);
  const words = symbols(root);
  let seen = null;
  const shade = () => {
    // Streamlit announces a change of theme only through its CSS variables
    const now = getComputedStyle(host).getPropertyValue("--st-background-color");
    if (now === seen) return;
    seen = now;
    const [r, g, b] = (now.match(/[0-9a-f]{2}/gi) ?? ["ff", "ff", "ff"]).map((x) => parseInt(x, 16));
    root.classList.toggle("dark", 0.3 * r + 0.59 * g + 0.11 * b < 128);
  };
  shade();
  const theme = setInterval(shade, 500);
  return {
    root,
    know: words.know,
    stop() {
      clearInterval(theme);
      words.stop();
    },
  };
}
