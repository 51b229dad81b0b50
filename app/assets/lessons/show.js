// Links to the state that the text talks about, and beliefs with what corrects them.
import { h } from "../shared/dom.js";
import { checkPanel } from "./check.js";
import { html } from "./contents.js";
import { runPicture } from "./picture.js";

const PAGES = { playground: "Open in the Playground", gpt2: "Open on the GPT-2 page" };

export function link(show, markup) {
  return html(
    "a",
    { class: "l-show", href: show.href, "data-page": show.page },
    `<span aria-hidden="true">▸</span> ${markup ?? PAGES[show.page]}`,
  );
}

export function showMe(app, block) {
  const { show } = block;
  if (!show.picture)
    return h(
      "p",
      { class: "l-showline" },
      link(show, /^show me/i.test(block.html) ? block.html : `<b>Show me:</b> ${block.html}`),
    );
  const picture = runPicture(show.picture, link(show));
  const root = h(
    "figure",
    { class: "l-figure" },
    picture.root,
    block.html ? html("figcaption", {}, block.html) : null,
  );
  root.stop = picture.stop;
  return root;
}

export function wrong(app, block) {
  const picture = block.show?.picture ? runPicture(block.show.picture, link(block.show)) : null;
  const root = h(
    "section",
    { class: "l-wrong", "aria-label": "A wrong belief, and what is true" },
    h(
      "p",
      { class: "l-belief" },
      h("span", { class: "l-tag no" }, "Believed"),
      html("span", {}, block.belief),
    ),
    h(
      "div",
      { class: "l-truth" },
      h("span", { class: "l-tag yes" }, "True"),
      html("div", { class: "l-prose" }, block.truth),
    ),
    block.check || picture
      ? h("div", { class: "l-evidence" }, block.check && checkPanel(app, block.check), picture?.root)
      : null,
    block.show && !picture ? h("p", { class: "l-showline" }, link(block.show)) : null,
  );
  root.stop = () => picture?.stop();
  return root;
}
