// The same idea told to six readers; each telling has its own address.
import { h } from "../shared/dom.js";
import { html } from "./contents.js";

export function levels(tellings) {
  const query = new URLSearchParams(location.search);
  const tabs = tellings.map((one) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${one.slug}`,
        "aria-controls": `level-${one.slug}`,
        onclick: () => choose(one.slug, true),
      },
      one.audience,
    ),
  );
  const panels = tellings.map((one) =>
    html(
      "div",
      {
        role: "tabpanel",
        id: `level-${one.slug}`,
        "aria-labelledby": `tab-${one.slug}`,
        tabindex: "0",
        class: "l-prose",
        "data-audience": one.audience,
      },
      one.html,
    ),
  );

  function choose(slug, write) {
    const found = Math.max(
      0,
      tellings.findIndex((one) => one.slug === slug),
    );
    tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", i === found);
      tab.tabIndex = i === found ? 0 : -1;
    });
    panels.forEach((panel, i) => {
      panel.hidden = i !== found;
    });
    if (!write) return;
    const address = new URL(location.href);
    address.searchParams.set("level", tellings[found].slug);
    history.replaceState(history.state, "", address);
  }

  const list = h(
    "div",
    {
      role: "tablist",
      class: "l-tabs",
      "aria-label": "Reader",
      onkeydown: (event) => {
        const at = tabs.indexOf(document.activeElement);
        const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        const index = (to + tabs.length) % tabs.length;
        choose(tellings[index].slug, true);
        tabs[index].focus();
      },
    },
    tabs,
  );
  choose(query.get("level"), false);
  const root = h("section", { class: "l-levels", "aria-label": "Read at your level" }, list, panels);
  const at = () => tabs.findIndex((tab) => tab.tabIndex === 0);
  const move = (by) => {
    const to = at() + by;
    if (!tellings[to]) return false;
    choose(tellings[to].slug, true);
    return true;
  };
  root.stepper = { next: () => move(1), back: () => move(-1) };
  return root;
}
