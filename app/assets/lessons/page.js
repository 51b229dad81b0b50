// What the lesson and glossary pages share: styles, light or dark, hovering symbols.
import { h, loadStyles } from "../shared/dom.js";
import { LOOK } from "../shared/look.js";
import { watchTheme } from "../shared/theme.js";
import { loadMath } from "./maths.js";
import { symbols } from "./symbols.js";

const STYLES = [
  ...LOOK,
  "../vendor/katex/katex.min.css",
  "lessons.css",
  "search.css",
  "prose.css",
  "glossary.css",
  "panels.css",
  "checks.css",
  "derivations.css",
  "predictions.css",
  "runs.css",
  "figures.css",
  "tellings.css",
  "slides.css",
  "print.css",
];

export async function frame(host) {
  await Promise.all([loadMath(), loadStyles(import.meta.url, STYLES)]);
  const root = h("div", { class: "lab lessons" });
  host.replaceChildren(root);
  const words = symbols(root);
  const stopTheme = watchTheme(host, root);
  return {
    root,
    know: words.know,
    stop() {
      stopTheme();
      words.stop();
    },
  };
}
