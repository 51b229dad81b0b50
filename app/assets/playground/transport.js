// The buttons of the clock: play, pause, step, scrub, speed, and their keys. They only move the playhead.
import { h } from "../shared/dom.js";
import { iconButton as button, onKeys, playButton, scrubber } from "../shared/playback.js";

const SPEEDS = [0.25, 0.5, 1, 2, 4];

/** Where a method starts that has learned its reward first. */
export const stageStarts = (run) =>
  run.segments
    .filter(({ acting, objective }, i) => acting === objective.name && run.segments[i - 1]?.acting !== acting)
    .map(({ start }) => start)
    .filter((start) => start > 0 && !run.interventions.some(({ step }) => step === start));

function speedChoice(app) {
  const speed = h(
    "select",
    {
      "aria-label": "Playback speed",
      title: "Playback speed",
      onchange: () => {
        app.view.speed = Number(speed.value);
      },
    },
    SPEEDS.map((s) => h("option", { value: s, selected: s === 1 }, `${s}×`)),
  );
  return speed;
}

export function transport(app) {
  const play = playButton(app);
  const scrub = scrubber(app);
  const stage = h("output", { class: "stage", "data-term": "method/reward_model", hidden: true });
  const count = h("output", { class: "count", "aria-label": "current step" });
  const root = h(
    "div",
    { class: "transport", role: "group", "aria-label": "Playback" },
    button("Restart (R)", "restart", () => app.restart()),
    button("Step back (←)", "back", () => app.nudge(-1)),
    play.root,
    button("Step forward (→)", "forward", () => app.nudge(1)),
    scrub,
    count,
    stage,
    speedChoice(app),
    button("Undo (U)", "undo", () => app.send({ type: "undo" })),
    button("Redo (Shift+U)", "redo", () => app.send({ type: "redo" })),
  );
  return {
    root,
    update(run) {
      scrub.max = run.steps;
    },
    seek(step) {
      scrub.value = step;
      const now = app.run.segmentAt(step);
      stage.hidden = !stageStarts(app.run).length;
      stage.textContent = now.acting === now.objective.name ? "stage 2: policy" : "stage 1: reward model";
      count.textContent = `step ${step} / ${app.run.steps}`;
      play.turn(app.view.playing);
    },
  };
}

// Space, arrows, R, U, Shift+U, F, P and ? wherever the focus is, except where a person types or a control uses the key.
export function keyboard(app) {
  return onKeys({
    " ": () => app.toggle(),
    ArrowLeft: () => app.nudge(-1),
    ArrowRight: () => app.nudge(1),
    r: () => app.restart(),
    u: (event) => app.send({ type: event.shiftKey ? "redo" : "undo" }),
    f: () => app.toggleFuture(),
    p: () => app.togglePresenter(),
    "?": () => app.help(),
    Escape: () => app.view.presenter && app.togglePresenter(),
  });
}
