// One transport for all trails: it moves a playhead over the steps that were kept.
import { h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";

export function playback(app) {
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
    class: "scrub",
    "aria-label": "Step",
    oninput: () => {
      app.pause();
      app.seek(Number(scrub.value));
    },
  });
  const count = h("output", { class: "count", "aria-label": "current step" });
  const root = h(
    "div",
    { class: "transport", role: "group", "aria-label": "Playback" },
    button("Restart (R)", "restart", () => app.jump(0)),
    button("Step back (←)", "back", () => app.nudge(-1)),
    play,
    button("Step forward (→)", "forward", () => app.nudge(1)),
    scrub,
    count,
  );
  return {
    root,
    update(page) {
      this.turn(app.view.playing);
      scrub.max = String(page.kept.length - 1);
    },
    seek(place) {
      scrub.value = String(Math.round(place));
      scrub.setAttribute("aria-valuetext", `step ${app.step}`);
      count.textContent = `step ${app.step} / ${app.page.steps}`;
    },
    turn(playing) {
      play.replaceChildren(icon(playing ? "pause" : "play"));
      play.setAttribute("aria-label", playing ? "Pause" : "Play");
      play.title = playing ? "Pause (space)" : "Play (space)";
    },
  };
}

/** Space, ← → and R wherever the focus is, except where a person types or a control uses the key. */
export function keys(app) {
  const actions = {
    " ": () => app.toggle(),
    ArrowLeft: () => app.nudge(-1),
    ArrowRight: () => app.nudge(1),
    r: () => app.jump(0),
  };
  const press = (event) => {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (at.closest?.("textarea, select, input:not([type=range], [type=checkbox])")) return;
    if (at.closest?.("input[type=range]") && event.key.startsWith("Arrow")) return;
    if (at.closest?.("button, a, input[type=checkbox], summary") && event.key === " ") return;
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}
