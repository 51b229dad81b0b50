// Hovering a symbol highlights it everywhere and says what it is, its shape and its unit.
import { h } from "../shared/dom.js";

// "y_w" with a real subscript.
export const written = (symbol) =>
  symbol.split(/_(\w+)/).map((part, i) => (i % 2 ? h("sub", {}, part) : part));

const LINGER = 300; // milliseconds in which the pointer may cross over to the bubble

const explained = (name, term) => [
  h("b", {}, term.label),
  h("span", { class: "symbol" }, " ", written(term.symbol)),
  h("p", {}, term.definition),
  h(
    "small",
    {},
    [
      term.shape && `shape ${term.shape}`,
      term.unit !== "—" && `in ${term.unit}`,
      term.equation !== "—" && term.equation,
      term.trl && `TRL: ${term.trl}`,
    ]
      .filter(Boolean)
      .join(" · "),
  ),
  " ",
  h("a", { href: `glossary?term=${encodeURIComponent(name)}` }, "Glossary"),
];

export function symbols(root) {
  let glossary = {};
  let lit = null;
  let leaving;
  const bubble = h("div", { class: "bubble", role: "tooltip", id: "symbol-bubble", hidden: true });
  root.append(bubble);

  const hide = () => {
    clearTimeout(leaving);
    if (lit === null) return;
    for (const node of root.querySelectorAll("[data-sym].lit")) node.classList.remove("lit");
    root.querySelector("[aria-describedby=symbol-bubble]")?.removeAttribute("aria-describedby");
    bubble.hidden = true;
    lit = null;
  };

  const place = (target) => {
    (target.closest("dialog[open]") ?? root).append(bubble); // a slide covers all that is not inside it
    const box = target.getBoundingClientRect();
    const below = box.bottom + 8 + bubble.offsetHeight < innerHeight;
    bubble.style.left = `${Math.max(8, Math.min(innerWidth - bubble.offsetWidth - 8, box.left))}px`;
    bubble.style.top = `${below ? box.bottom + 8 : Math.max(8, box.top - bubble.offsetHeight - 8)}px`;
  };

  const show = (event) => {
    const target = event.target.closest?.("[data-sym]");
    const name = target?.dataset.sym ?? null;
    clearTimeout(leaving);
    if (bubble.contains(event.target)) return;
    if (name === null && event.type !== "pointerover") return hide();
    if (name === null) {
      leaving = setTimeout(hide, LINGER);
      return;
    }
    const term = glossary[name];
    if (!term) return hide();
    if (name !== lit) {
      hide();
      lit = name;
      for (const node of root.querySelectorAll(`[data-sym="${CSS.escape(name)}"]`)) node.classList.add("lit");
    }
    if (target.tabIndex >= 0) target.setAttribute("aria-describedby", "symbol-bubble");
    bubble.replaceChildren(...explained(name, term));
    bubble.hidden = false;
    place(target);
  };
  root.addEventListener("pointerover", show);
  root.addEventListener("focusin", show);
  root.addEventListener("click", show); // a tap, where nothing hovers
  root.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  addEventListener("scroll", hide, { capture: true, passive: true });
  return {
    know(terms) {
      glossary = terms;
    },
    stop() {
      removeEventListener("scroll", hide, { capture: true });
    },
  };
}

// A row of buttons for the symbols below ``root``: what hovering does, for the keyboard.
export function symbolKeys(root, glossary) {
  const names = new Set([...root.querySelectorAll("[data-sym]")].map((node) => node.dataset.sym));
  const known = [...names].filter((name) => glossary[name]);
  if (!known.length) return null;
  return h(
    "p",
    { class: "l-symbols" },
    "Symbols: ",
    known.map((name) =>
      h(
        "button",
        { type: "button", class: "small", "data-sym": name, title: glossary[name].label },
        written(glossary[name].symbol),
      ),
    ),
  );
}
