// Predict, then see: the reader commits to an answer; then the simulation plays and says why.
import { h } from "../shared/dom.js";
import { html } from "./contents.js";
import { drawMath } from "./maths.js";
import { runPicture } from "./picture.js";
import { link } from "./show.js";
import { sketchPad } from "./sketch.js";

const CLOSE = 0.12; // a sketch within an eighth of the plot's height counts as right

export function prediction(app, slug, block) {
  const saved = app.progress.of(slug).predictions[block.id];
  const run = block.show?.picture;
  const drawn = run ?? block.curve;
  const pad = block.sketch ? sketchPad(drawn, drawn.metrics[0], drawn.metrics[0].label, saved?.sketch) : null;
  const name = `predict-${slug}-${block.id}`;
  const inputs = block.choices.map((_, i) =>
    h("input", {
      type: "radio",
      name,
      value: i,
      onchange: () => {
        commit.disabled = false;
      },
    }),
  );
  const labels = block.choices.map((choice, i) =>
    h(
      "label",
      { class: "l-choice" },
      inputs[i],
      h("span", { class: "l-letter" }, "ABCDEFGH"[i] ?? String(i + 1)),
      html("span", {}, choice),
    ),
  );
  const commit = h("button", { type: "submit", class: "primary", disabled: true }, "Commit, then see");
  const answer = h("div", { class: "l-answer", hidden: true });
  const verdict = h("p", { class: "l-result", tabindex: "-1" });
  const picture = run ? runPicture(run, link(block.show), pad ? [run.metrics[0].name] : []) : null;
  answer.append(verdict, html("div", { class: "l-prose" }, block.why), ...(picture ? [picture.root] : []));
  if (block.show && !picture) answer.append(h("p", { class: "l-showline" }, link(block.show)));
  const seen = h("textarea", {
    rows: "2",
    maxlength: "500",
    "aria-label": "What did you see?",
    placeholder: "What did you see? One sentence; it is saved with your answers.",
    onchange: () => app.progress.saw(slug, block.id, seen.value.trim()),
  });
  seen.value = saved?.saw ?? "";
  pad?.onDrawn(() => {
    commit.disabled = false;
  });
  let revealed = false;

  function reveal(result, playing) {
    revealed = true;
    inputs.forEach((input) => {
      input.disabled = true;
    });
    labels.forEach((label, i) => {
      label.classList.toggle("right", i === block.answer);
      label.classList.toggle("chosen-answer", i === result.choice);
    });
    commit.hidden = true;
    pad?.reveal();
    verdict.textContent = words(result);
    root.dataset.state = result.correct === undefined ? "shown" : result.correct ? "right" : "wrong";
    if (app.progress.of(slug).predictions[block.id]) answer.append(seen);
    answer.hidden = false;
    if (playing) picture?.root.replay();
  }

  function words({ correct, distance }) {
    if (pad) {
      if (distance === undefined) return "The solid line is what the core computes.";
      return (
        `${correct ? "Close" : "Not quite"}: on average your curve is ${Math.round(100 * distance)} ` +
        "% of the plot's height away. The solid line is what the core computes."
      );
    }
    const right = "ABCDEFGH"[block.answer] ?? String(block.answer + 1);
    return correct === undefined
      ? `The answer is ${right}.`
      : correct
        ? `Right: ${right}.`
        : `Not so: the answer is ${right}.`;
  }

  const form = h(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        if (revealed || commit.disabled) return;
        const question = root.querySelector(".l-question").textContent.trim();
        const choice = inputs.findIndex((input) => input.checked);
        const distance = pad ? pad.distance() : undefined;
        const result = pad
          ? { sketch: pad.knots, distance, correct: distance <= CLOSE }
          : { choice, answer: block.answer, correct: choice === block.answer };
        app.progress.predict(slug, block.id, { question, ...result });
        reveal(result, true);
        verdict.focus({ preventScroll: true });
      },
    },
    h(
      "fieldset",
      {},
      h(
        "legend",
        { class: "l-question" },
        h("span", { class: "l-tag" }, "Predict"),
        html("span", {}, block.question),
      ),
      pad
        ? h(
            "div",
            { class: "l-sketch" },
            html("p", { class: "hint" }, `${block.sketch}`),
            pad.root,
            h(
              "p",
              { class: "hint" },
              "Draw with the pointer, or focus it: ← → choose a step, ↑ ↓ move the curve.",
            ),
          )
        : labels,
    ),
    commit,
  );
  const root = h(
    "section",
    { class: "l-predict", "aria-label": "Predict, then see", "data-id": block.id },
    form,
    answer,
  );
  if (saved) {
    if (saved.choice >= 0) inputs[saved.choice].checked = true;
    reveal(saved, false);
  }
  // In a lecture the next key shows the answer, whether or not the room has voted.
  root.stepper = {
    next: () => {
      if (revealed) return false;
      reveal({}, true);
      return true;
    },
    back: () => false,
  };
  root.stop = () => picture?.stop();
  if (picture)
    picture.root.replay = () => {
      picture.rewind();
      picture.play();
    };
  drawMath(root);
  return root;
}
