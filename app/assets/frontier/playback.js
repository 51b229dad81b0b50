// One transport for all trails: it moves a playhead over the steps that were kept.
import { h } from "../shared/dom.js";
import { iconButton as button, onKeys, playButton, scrubber } from "../shared/playback.js";

export function playback(app) {
  const play = playButton(app);
  const scrub = scrubber(app);
  const count = h("output", { class: "count", "aria-label": "current step" });
  const root = h(
    "div",
    { class: "transport", role: "group", "aria-label": "Playback" },
    button("Restart (R)", "restart", () => app.jump(0)),
    button("Step back (←)", "back", () => app.nudge(-1)),
    play.root,
    button("Step forward (→)", "forward", () => app.nudge(1)),
    scrub,
    count,
  );
  return {
    root,
    update(page) {
      play.turn(app.view.playing);
      scrub.max = String(page.kept.length - 1);
    },
    seek(place) {
      scrub.value = String(Math.round(place));
      scrub.setAttribute("aria-valuetext", `step ${app.step}`);
      count.textContent = `step ${app.step} / ${app.page.steps}`;
    },
    turn: play.turn,
  };
}

/** Space, ← → and R. */
export function keys(app) {
  return onKeys({
    " ": () => app.toggle(),
    ArrowLeft: () => app.nudge(-1),
    ArrowRight: () => app.nudge(1),
    r: () => app.jump(0),
  });
}
