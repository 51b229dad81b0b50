// A vote between two replies: counted into an example class, it becomes a share and a reward gap.
import { h } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { html } from "./contents.js";

export function vote(app, slug, block) {
  const [ours, all] = block.example;
  const result = h("div", { class: "l-answer", hidden: true });
  const buttons = block.replies.map((reply, i) =>
    html(
      "button",
      { type: "button", class: "l-ballot", "aria-pressed": "false", onclick: () => choose(i) },
      `<b>${"AB"[i]}</b> <span>${reply}</span>`,
    ),
  );

  function choose(i, anew = true) {
    if (anew) app.progress.vote(slug, block.id, i);
    buttons.forEach((button, k) => button.setAttribute("aria-pressed", String(k === i)));
    const [share, gap] = block.outcomes[i];
    result.replaceChildren(
      h(
        "p",
        { class: "l-result" },
        `You chose ${"AB"[i]}. In an invented class of ${all}, ${ours} chose A and ${all - ours} chose B.`,
      ),
      h(
        "p",
        {},
        `With your vote: p = ${ours + (i === 0)}/${all + 1} = ${number(share)} for A, which is a reward gap of ${number(gap)} nats.`,
      ),
      html("p", {}, `Why it is close: ${block.close}`),
    );
    result.hidden = false;
    root.dataset.choice = i;
  }

  const root = h(
    "section",
    { class: "l-vote", "aria-label": "Vote", "data-id": block.id },
    h(
      "p",
      { class: "l-question" },
      html("span", { class: "l-tag" }, block.topic),
      html("span", {}, block.prompt),
    ),
    h("div", { class: "l-ballots" }, buttons),
    result,
  );
  const saved = app.progress.of(slug).votes?.[block.id];
  if (saved !== undefined) choose(saved, false);
  return root;
}
