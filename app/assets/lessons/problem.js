// A problem that the core marks: a number, or a scenario file of the reader's own.
import { h } from "../shared/dom.js";
import { html } from "./contents.js";

export function problem(app, slug, block) {
  const id = `problem-${block.key}`;
  const field =
    block.wants === "number"
      ? h("input", { id, type: "text", inputmode: "decimal", autocomplete: "off", size: "10" })
      : h("textarea", {
          id,
          rows: "4",
          spellcheck: "false",
          placeholder: '{"prompts": […], "comparisons": […]}',
        });
  const verdict = h("output", { class: "l-result" });
  verdict.setAttribute("aria-live", "polite");
  const show = ({ right, says, error }) => {
    verdict.textContent = error ?? `${right ? "✓" : "✗"} ${says}`;
    root.dataset.state = right ? "right" : "wrong";
    if (right) app.progress.solve(slug, block.key, field.value);
  };
  const root = h(
    "form",
    {
      class: "l-problem",
      "aria-label": "Problem",
      "data-problem": block.key,
      onsubmit: (event) => {
        event.preventDefault();
        if (field.value.trim()) app.server.ask(id, { problem: block.key, answer: field.value }, show);
      },
    },
    html(
      "label",
      { class: "l-question", for: id },
      `<span class="l-tag">Problem</span> <span>${block.question}</span>`,
    ),
    h("div", { class: "l-attempt" }, field, h("button", { type: "submit" }, "Check my answer"), verdict),
    h("details", {}, h("summary", {}, "Solution"), html("div", { class: "l-prose" }, block.solution)),
  );
  const solved = app.progress.of(slug).solved?.[block.key];
  if (solved !== undefined) {
    field.value = solved;
    root.dataset.state = "right";
    verdict.textContent = "✓ Solved.";
  }
  return root;
}
