// Tooltips: any element with data-term explains itself on hover, focus and tap, from the core's glossary.
import { fetchJson, h, maths } from "./dom.js";

let glossary = {};
export const loadTerms = async () => {
  glossary = await fetchJson(new URL("../glossary.json", import.meta.url));
  return glossary;
};

export const term = (key, ...content) =>
  h(
    "span",
    { class: "term", "data-term": key, tabindex: "0" },
    (content.length ? content : [glossary[key].label])
      .map((part) => (typeof part === "string" ? maths(part) : part))
      .flat(),
  );

export function watchTerms(root) {
  const bubble = h("div", { class: "bubble", role: "tooltip", id: "dpo-bubble", hidden: true });
  root.append(bubble);
  let shown = null;
  const hide = () => {
    bubble.hidden = true;
    shown?.removeAttribute("aria-describedby");
    shown = null;
  };
  const show = (event) => {
    const target = event.target.closest?.("[data-term]");
    if (target === shown) return;
    hide();
    const entry = target && glossary[target.dataset.term];
    if (!entry) return;
    shown = target;
    target.setAttribute("aria-describedby", "dpo-bubble");
    bubble.replaceChildren(
      ...[
        h("b", {}, maths(entry.label)),
        entry.symbol === entry.label ? null : h("span", { class: "symbol" }, " ", maths(entry.symbol)),
        h("p", {}, maths(entry.definition)),
        h("small", {}, `${entry.unit}${entry.equation === "—" ? "" : ` · ${entry.equation}`}`),
      ].filter(Boolean),
    );
    bubble.hidden = false;
    const box = target.getBoundingClientRect();
    const width = bubble.offsetWidth;
    bubble.style.left = `${Math.max(8, Math.min(innerWidth - width - 8, box.left))}px`;
    const below = box.bottom + 6 + bubble.offsetHeight < innerHeight;
    bubble.style.top = `${below ? box.bottom + 6 : Math.max(8, box.top - bubble.offsetHeight - 6)}px`;
  };
  root.addEventListener("pointerover", show);
  root.addEventListener("focusin", show);
  root.addEventListener("focusout", hide);
  root.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  addEventListener("scroll", hide, { capture: true, passive: true });
  return () => removeEventListener("scroll", hide, { capture: true });
}
