// What every page that plays shares: buttons with a picture, a slider of places, the clock, and keys.
import { h } from "./dom.js";
import { icon } from "./icons.js";

const FULL_RUN = 12; // seconds for a whole run at speed 1
const SLOWEST = 5; // steps a second at least, so that a run of a few steps is not a wait

export function iconButton(name, glyph, action, extra = "") {
  return h(
    "button",
    { type: "button", class: `icon ${extra}`, "aria-label": name, title: name, onclick: action },
    icon(glyph),
  );
}

/** The button that plays and pauses, and how it shows which of both comes next. */
export function playButton(app) {
  const root = iconButton("Play", "play", () => app.toggle(), "play");
  let shown = null;
  return {
    root,
    turn(playing) {
      if (shown === playing) return;
      shown = playing;
      root.replaceChildren(icon(playing ? "pause" : "play"));
      root.setAttribute("aria-label", playing ? "Pause" : "Play");
      root.title = playing ? "Pause (space)" : "Play (space)";
    },
  };
}

/** A slider over the places of a run; moving it pauses. */
export function scrubber(app) {
  const range = h("input", {
    type: "range",
    min: 0,
    step: 1,
    value: 0,
    class: "scrub",
    "aria-label": "Step",
    oninput: () => {
      app.pause();
      app.seek(Number(range.value));
    },
  });
  return range;
}

/** Moves the playhead with the display's own frames until the run ends or ``stop`` is called. */
export function clock(app, move = (place) => app.seek(place)) {
  let frame = 0;
  let before = 0;
  const tick = (now) => {
    const steps = ((now - before) / 1000) * Math.max(app.run.steps / FULL_RUN, SLOWEST) * app.view.speed;
    before = now;
    move(Math.min(app.run.steps, app.view.playhead + steps));
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

/** ``actions`` by key, wherever the focus is, except where a person types or a control uses the key. */
export function onKeys(actions) {
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
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action(event);
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}
