// One lesson as a page: its sections, its panels, the way to the next one.
import { h } from "../shared/dom.js";
import { checkPanel } from "./check.js";
import { html } from "./contents.js";
import { derivation } from "./derive.js";
import { figure } from "./figure.js";
import { levels } from "./levels.js";
import { drawMath } from "./maths.js";
import { prediction } from "./predict.js";
import { lecture } from "./slides.js";
import { problem } from "./problem.js";
import { showMe, wrong } from "./show.js";
import { vote } from "./vote.js";

const BESIDE = 3; // paragraphs that may stand beside a check

const makers = {
  prose: (app, entry, block) => html("div", { class: "l-prose" }, block.html),
  check: (app, entry, block) => checkPanel(app, block.check),
  derive: (app, entry, block) => derivation(app, block),
  predict: (app, entry, block) => prediction(app, entry.slug, block),
  problem: (app, entry, block) => problem(app, entry.slug, block),
  vote: (app, entry, block) => vote(app, entry.slug, block),
  show: (app, entry, block) => showMe(app, block),
  figure: (app, entry, block) => figure(block.figure),
  levels: (app, entry, block) => levels(block.levels),
  wrong: (app, entry, block) => wrong(app, block),
};

// A check stands beside the paragraphs that make its claim (below them on a narrow page); several share a row.
function arrange(nodes, blocks) {
  const rows = [];
  const isCheck = (i) => blocks[i]?.kind === "check";
  nodes.forEach((node, i) => {
    if (!isCheck(i)) return rows.push(node);
    if (isCheck(i - 1)) return rows.at(-1).append(node);
    if (isCheck(i + 1)) return rows.push(h("div", { class: "l-together" }, node));
    const text = [];
    while (
      text.length < BESIDE &&
      rows.at(-1)?.classList.contains("l-prose") &&
      !rows.at(-1).querySelector("h3")
    )
      text.unshift(rows.pop());
    return rows.push(text.length ? h("div", { class: "l-beside" }, h("div", {}, text), node) : node);
  });
  return rows;
}

function section(app, entry, data, first) {
  const nodes = data.blocks.map((block) => {
    const node = makers[block.kind](app, entry, block);
    node.classList.add("l-unit");
    return node;
  });
  const title = first ? null : html("h2", { id: data.slug, tabindex: "-1" }, data.html);
  return h(
    "section",
    { class: "l-section", "data-slug": data.slug, "aria-label": data.title },
    title,
    arrange(nodes, data.blocks),
  );
}

export function lessonView(app, entry, text) {
  const { lessons } = app.index;
  const at = lessons.indexOf(entry);
  const sections = text.sections.map((data) => section(app, entry, data, data.slug === "start"));
  const link = (other, word, key) =>
    other
      ? h(
          "a",
          {
            class: `l-${word.toLowerCase()}`,
            href: `lessons?lesson=${other.slug}`,
            "data-lesson": other.slug,
            rel: key,
          },
          h("small", {}, word),
          html("span", {}, other.title),
        )
      : h(
          "a",
          { class: `l-${word.toLowerCase()}`, href: "lessons", "data-home": true },
          h("small", {}, word),
          "All lessons",
        );
  const outline = h(
    "details",
    { class: "l-outline" },
    h("summary", {}, "In this lesson"),
    h(
      "ol",
      {},
      entry.sections.map((one) =>
        html(
          "li",
          {},
          `<a href="lessons?lesson=${entry.slug}&amp;at=${one.slug}" data-lesson="${entry.slug}">${one.html}</a>`,
        ),
      ),
    ),
  );
  const root = h(
    "article",
    { class: "l-lesson", "aria-labelledby": "lesson-title" },
    h(
      "header",
      { class: "l-header" },
      h(
        "p",
        { class: "l-kicker" },
        `Lesson ${entry.number} of ${lessons.length} · ${entry.minutes} min`,
        entry.equations.length ? ` · ${entry.equations.join(", ")}` : "",
      ),
      html("h1", { id: "lesson-title", tabindex: "-1" }, entry.title),
      html("p", { class: "l-lead" }, entry.summary),
      h(
        "div",
        { class: "l-actions" },
        h("button", { type: "button", class: "l-lecture primary", onclick: () => present() }, "Lecture"),
        h("button", { type: "button", onclick: () => print() }, "Print handout"),
        h("button", { type: "button", onclick: () => app.progress.export(app.index) }, "Save my answers"),
      ),
      outline,
    ),
    sections,
    h(
      "nav",
      { class: "l-turn", "aria-label": "Lessons before and after" },
      link(lessons[at - 1], "Previous", "prev"),
      link(lessons[at + 1], "Next", "next"),
    ),
  );
  drawMath(root);

  const seen = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        /** @type {HTMLElement | null} */
        const read = isIntersecting ? target.closest("[data-slug]") : null; // null while a slide borrows the node
        if (read) app.progress.read(entry.slug, read.dataset.slug);
      }
    },
    { rootMargin: "0px 0px -15% 0px" },
  );
  sections.forEach((node) => seen.observe(node.lastElementChild ?? node)); // a section is read when its end was in view

  let show = null;
  const present = (from) => {
    const y = sections.findIndex((node) => node.getBoundingClientRect().bottom > innerHeight * 0.4);
    show = lecture(app, entry, text, sections, from ?? Math.max(0, y), () => {
      show = null;
    });
  };
  const go = (slug, focus) => {
    const target = slug && root.querySelector(`[id="${CSS.escape(slug)}"]`);
    if (target) target.scrollIntoView();
    else if (focus) root.closest("[data-testid=stMain]")?.scrollTo(0, 0);
    if (focus) /** @type {HTMLElement} */ (target || root.querySelector("h1")).focus({ preventScroll: true });
  };
  document.title = `${entry.number}. ${root.querySelector("h1").textContent} · DPO Lab`;
  return {
    root,
    slug: entry.slug,
    go,
    shown(query, moved) {
      go(query.get("at"), moved);
      if (query.get("slide"))
        present(Math.min(sections.length, Math.max(1, Number(query.get("slide")) || 1)) - 1);
      const next = lessons[at + 1];
      if (next) (globalThis.requestIdleCallback ?? setTimeout)(() => app.load(next.slug)); // so that turning the page waits for nothing
    },
    stop() {
      seen.disconnect();
      show?.stop();
      for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(".l-unit")))
        node.stop?.();
    },
  };
}
