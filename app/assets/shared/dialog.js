// A box over the page with a title and a way out.
import { h } from "./dom.js";

export function dialog(title, ...content) {
  const root = h("dialog", { class: "dpo-dialog", "aria-label": title });
  const close = () => root.close();
  root.append(
    h(
      "header",
      {},
      h("h2", {}, title),
      h("button", { type: "button", class: "round", "aria-label": "Close", onclick: close }, "×"),
    ),
    ...content,
  );
  root.addEventListener("click", (event) => event.target === root && close());
  return {
    root,
    close,
    show: () => {
      if (!root.open) root.showModal();
    },
  };
}
