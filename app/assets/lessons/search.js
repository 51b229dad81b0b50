// Search across lessons and the glossary, as one types.
import { h } from "../shared/dom.js";
import { drawMath } from "./maths.js";

export function searchBox(app) {
  const status = h("p", { class: "hint", role: "status" });
  const list = h("ul", { class: "l-hits" });
  const panel = h("div", { class: "l-found", hidden: true }, status, list);
  const input = h("input", {
    type: "search",
    placeholder: "Search the lessons",
    "aria-label": "Search the lessons",
    autocomplete: "off",
    maxlength: 200,
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 120);
    },
    onkeydown: (event) => {
      if (event.key === "Escape") {
        event.preventDefault();
        close();
      }
      if (event.key === "ArrowDown") {
        event.preventDefault();
        list.querySelector("a")?.focus();
      }
    },
  });
  let timer;

  const close = () => {
    input.value = "";
    panel.hidden = true;
  };

  function ask() {
    const query = input.value.trim();
    if (!query) {
      panel.hidden = true;
      return;
    }
    app.server.ask("search", { search: query }, ({ hits }) => {
      if (!input.value.trim()) return;
      status.textContent = hits.length
        ? `${hits.length} place${hits.length === 1 ? "" : "s"}`
        : `Nothing about “${query}”. Try one word, or a symbol such as β.`;
      list.replaceChildren(...hits.map(hit));
      drawMath(list);
      panel.hidden = false;
    });
  }

  function hit({ lesson, title, at, heading, pieces }) {
    const words = h(
      "span",
      { class: "l-passage" },
      pieces.map(([text, found]) => (found ? h("mark", {}, text) : text)),
    );
    const head = h("span", { class: "l-where" }, `${title} › ${heading}`);
    return h(
      "li",
      {},
      lesson
        ? h("a", { href: `lessons?lesson=${lesson}&at=${at}`, "data-lesson": lesson }, head, words)
        : h("a", { href: `glossary?term=${encodeURIComponent(at)}` }, head, words),
    );
  }

  list.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      close();
      input.focus();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const links = [...list.querySelectorAll("a")];
    (links[links.findIndex((link) => link === document.activeElement) + step] ?? input).focus();
  });
  const root = h(
    "search",
    { class: "l-search" },
    h("a", { href: "lessons", "data-home": true }, "All lessons"),
    input,
    panel,
  );
  return { root, close };
}
