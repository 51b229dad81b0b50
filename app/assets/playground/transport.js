// The clock and its buttons: play, pause, step, scrub, speed. It only moves the playhead.
import { h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";

const FULL_RUN = 12; // seconds for a whole run at speed 1
const SLOWEST = 5; // steps a second at least, so that a run of a few steps is not a wait
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
  const button = (name, glyph, action, extra = "") =>
    h(
      "button",
      { type: "button", class: `icon ${extra}`, "aria-label": name, title: name, onclick: action },
      icon(glyph),
    );
  const play = button("Play", "play", () => app.toggle(), "play");
  const scrub = h("input", {
    type: "range",
    min: 0,
    step: 1,
    value: 0,
    class: "scrub",
    "aria-label": "Step",
    oninput: () => {
      app.pause();
      app.seek(Number(scrub.value));
    },
  });
  const stage = h("output", { class: "stage", "data-term": "method/reward_model", hidden: true });
  const count = h("output", { class: "count", "aria-label": "current step" });
  const root = h(
    "div",
    { class: "transport", role: "group", "aria-label": "Playback" },
    button("Restart (R)", "restart", () => app.restart()),
    button("Step back (←)", "back", () => app.nudge(-1)),
    play,
    button("Step forward (→)", "forward", () => app.nudge(1)),
    scrub,
    count,
    stage,
    speedChoice(app),
    button("Undo (U)", "undo", () => app.send({ type: "undo" })),
    button("Redo (Shift+U)", "redo", () => app.send({ type: "redo" })),
  );
  let shown = null;
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
      if (shown !== app.view.playing) {
        shown = app.view.playing;
        play.replaceChildren(icon(shown ? "pause" : "play"));
        play.setAttribute("aria-label", shown ? "Pause" : "Play");
        play.title = shown ? "Pause (space)" : "Play (space)";
      }
    },
  };
}

// Moves the playhead with the display's own frames until the run ends or `stop` is called.
export function clock(app) {
  let frame = 0;
  let before = 0;
  const tick = (now) => {
    const steps = ((now - before) / 1000) * Math.max(app.run.steps / FULL_RUN, SLOWEST) * app.view.speed;
    before = now;
    app.advance(Math.min(app.run.steps, app.view.playhead + steps));
    if (app.view.playhead >= app.run.steps) app.pause();
    else if (app.view.playing) frame = requestAnimationFrame(tick);
  };
  return {
    start() {
      before = performance.now();
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(tick);
    },
    stop() {
      cancelAnimationFrame(frame);
    },
  };
}

// Space, arrows, R, U, Shift+U, F, P and ? wherever the focus is, except where a person types or a control uses the key.
export function keyboard(app) {
  const keys = {
    " ": () => app.toggle(),
    ArrowLeft: () => app.nudge(-1),
    ArrowRight: () => app.nudge(1),
    r: () => app.restart(),
    u: (event) => app.send({ type: event.shiftKey ? "redo" : "undo" }),
    f: () => app.toggleFuture(),
    p: () => app.togglePresenter(),
    "?": () => app.help(),
    Escape: () => app.view.presenter && app.togglePresenter(),
  };
  const press = (event) => {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (
      at.closest?.(
        "textarea, select, [contenteditable], input:not([type=range], [type=checkbox], [type=radio])",
      )
    )
      return;
    if (event.repeat && !event.key.startsWith("Arrow")) return; // a key held down is one press
    if (at.closest?.("input:is([type=range], [type=radio])") && event.key.startsWith("Arrow")) return;
    if (at.closest?.("button, a, input[type=checkbox], summary") && event.key === " ") return;
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action(event);
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}
