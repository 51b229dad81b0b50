// How a lecture is steered: keys, the buttons of a remote, and on a touch screen taps and swipes.
const SWIPE = 45; // pixels; less is a tap
const TAP = 12;
const FIELDS = "input, select, textarea, [role=slider], [role=tab]";
const OWN = `${FIELDS}, button, a, summary, label, [data-sym]`; // these answer a finger themselves

export const fullScreen = () => document.documentElement.requestFullscreen?.().catch(() => {});

function actions(show) {
  const { talk, dialog } = show;
  const next = () => show.next();
  const back = () => show.back();
  return {
    ...{ ArrowRight: next, ArrowDown: next, PageDown: next, " ": next, Enter: next },
    ...{ ArrowLeft: back, ArrowUp: back, PageUp: back, Backspace: back },
    Home: () => show.go(0),
    End: () => show.go(show.slides.length - 1),
    Escape: () => dialog.open && dialog.close(),
    n: () => talk.toggle(),
    p: () => talk.open(show.act),
    t: () => talk.pause(),
    r: () => talk.reset(),
    f: () => (document.fullscreenElement ? document.exitFullscreen() : fullScreen()),
  };
}

// A swipe turns the slide; a tap on the left quarter goes back, anywhere else on.
function touch(show) {
  let from = null;
  const { stage } = show;
  stage.addEventListener("pointerdown", (event) => {
    from = event.pointerType === "touch" && !event.target.closest(FIELDS) ? event : null;
  });
  stage.addEventListener("pointercancel", () => {
    from = null;
  });
  const moved = (event) => [event.clientX - from.clientX, event.clientY - from.clientY];
  stage.addEventListener("pointerup", (event) => {
    if (!from) return;
    const [x, y] = moved(event);
    if (Math.abs(x) < SWIPE || Math.abs(x) < 2 * Math.abs(y)) return;
    from = null;
    if (x < 0) show.next();
    else show.back();
  });
  // Not when the finger is lifted: the click that follows would fall on the next slide.
  stage.addEventListener("click", (event) => {
    if (!from || event.target.closest(OWN) || Math.hypot(...moved(event)) > TAP) return;
    from = null;
    if (event.clientX < innerWidth / 4) show.back();
    else show.next();
  });
}

// Listens on the lecture's dialog; what comes back acts on a key by its name, also for the presenter's window.
export function hands(show) {
  const { dialog } = show;
  const acts = actions(show);
  const act = (key) => {
    const action = acts[key.length === 1 ? key.toLowerCase() : key];
    action?.();
    return Boolean(action);
  };
  // A control that has the focus keeps the keys that it needs; PageUp and PageDown (remotes) always turn.
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the page below has its own keys
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key } = event;
    if (key === "Escape") {
      event.preventDefault();
      return target.matches("input, select") ? dialog.focus() : act(key);
    }
    const typing = target.matches(FIELDS) && !/^Page/.test(key);
    const pressing = target.matches("button, a, summary") && (key === " " || key === "Enter");
    if (!typing && !pressing && act(key)) event.preventDefault();
  });
  touch(show);
  return act;
}
