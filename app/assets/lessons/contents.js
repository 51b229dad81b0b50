// The list of all lessons, with what the reader has done of each.
import { h } from "../shared/dom.js";
import { drawMath } from "./maths.js";

export const html = (tag, props, markup) => {
  const node = h(tag, props);
  node.innerHTML = markup; // escaped and built by the server from the lesson files
  return node;
};

// One lesson of the list, with what the reader has done of it.
function item(entry, done) {
  const { read, sections, made, predictions, right } = done;
  return h(
    "li",
    {},
    h(
      "a",
      { href: `lessons?lesson=${entry.slug}`, "data-lesson": entry.slug },
      h("span", { class: "l-number" }, String(entry.number)),
      h(
        "span",
        { class: "l-about" },
        html("span", { class: "l-title" }, entry.title),
        html("span", { class: "l-summary" }, entry.summary),
      ),
      h(
        "span",
        { class: "l-meta" },
        `${entry.minutes} min`,
        entry.equations.length ? ` · ${entry.equations.join(", ")}` : "",
        read ? h("span", { class: "l-done" }, ` · ${read}/${sections} read`) : "",
        made
          ? h(
              "span",
              { class: "l-done" },
              ` · ${right} of ${made} right${made < predictions ? `, ${predictions - made} to predict` : ""}`,
            )
          : "",
      ),
    ),
  );
}

function tallied(all) {
  const sum = (key) => all.reduce((total, one) => total + one[key], 0);
  return (
    `${sum("read")} of ${sum("sections")} sections read · ${sum("made")} of ${sum("predictions")} ` +
    `predictions made, ${sum("right")} right. Kept in this browser tab only.`
  );
}

export function contents(app, missing) {
  const { lessons } = app.index;
  const list = h("ol", { class: "l-list" });
  const tally = h("p", { class: "hint", role: "status" });
  const draw = () => {
    list.replaceChildren(...lessons.map((entry) => item(entry, app.progress.summary(entry))));
    drawMath(list);
    tally.textContent = tallied(lessons.map((entry) => app.progress.summary(entry)));
  };
  draw();
  app.progress.listeners.add(draw);
  const next =
    lessons.find((entry) => app.progress.summary(entry).read < entry.sections.length) ?? lessons[0];
  const minutes = lessons.reduce((total, entry) => total + entry.minutes, 0);
  const root = h(
    "div",
    { class: "l-contents" },
    h("h1", {}, "Lessons"),
    h(
      "p",
      { class: "l-lead" },
      `From “what is a preference” to what came after DPO, in ${lessons.length} lessons ` +
        `and about ${minutes} minutes. Every number beside a claim is computed while you ` +
        "read, from values that you can change.",
    ),
    missing &&
      h(
        "p",
        { class: "status", "data-kind": "error", role: "alert" },
        `There is no lesson “${missing}”. Choose one below.`,
      ),
    h(
      "p",
      { class: "l-actions" },
      next &&
        h(
          "a",
          { class: "l-button primary", href: `lessons?lesson=${next.slug}`, "data-lesson": next.slug },
          app.progress.state[lessons[0]?.slug] ? "Continue" : "Start with lesson 1",
        ),
      h("button", { type: "button", onclick: () => app.progress.export(app.index) }, "Save my answers"),
    ),
    list,
    tally,
  );
  document.title = "Lessons · DPO Lab";
  return {
    root,
    slug: null,
    go() {},
    shown(query, moved) {
      if (moved) scrollTo({ top: 0 });
    },
    stop() {
      app.progress.listeners.delete(draw);
    },
  };
}
