// What the speaker sees: notes and a timer, on the slide or in a window of their own.
import { h } from "../shared/dom.js";
import { html } from "./contents.js";
import { drawMath } from "./maths.js";

const two = (n) => String(n).padStart(2, "0");

export function presenter(app, current) {
  let begun = performance.now();
  let kept = 0; // milliseconds before the last pause
  let running = true;
  let popup = null;
  const clock = h("span", { class: "s-clock", role: "timer", "aria-label": "Time since the lecture began" });
  const notes = h("aside", { class: "s-notes", "aria-label": "Speaker notes", hidden: true, tabindex: "0" });

  const elapsed = () => Math.floor((kept + (running ? performance.now() - begun : 0)) / 1000);
  const time = () => {
    const s = elapsed();
    return `${Math.floor(s / 60)}:${two(s % 60)}${running ? "" : " ⏸"}`;
  };
  const tick = () => {
    clock.textContent = time();
    const other = popup?.document.getElementById("clock");
    if (other) other.textContent = time();
  };
  const timer = setInterval(tick, 250);

  function words() {
    const { section, next, at, total } = current();
    const body = section.notes ? html("div", {}, section.notes) : h("p", {}, "No notes for this slide.");
    return [
      h("p", { class: "s-now" }, h("b", {}, section.title), ` · slide ${at + 1} of ${total}`),
      drawMath(body),
      h("p", { class: "s-then" }, next ? `Next: ${next.title}` : "This is the last slide."),
    ];
  }

  function update() {
    notes.replaceChildren(...words());
    const room = popup && !popup.closed && popup.document.getElementById("notes");
    if (room) room.replaceChildren(...words().map((node) => popup.document.adoptNode(node)));
    tick();
  }

  // The window copies the page's style sheets, so that maths looks the same; its keys turn the slides.
  function open(act) {
    popup = window.open("", "dpo-lab-presenter", "width=900,height=640");
    if (!popup) {
      notes.hidden = false;
      return update();
    } // pop-ups are blocked: the notes are shown here
    const { document: page } = popup;
    page.title = "Presenter · DPO Lab";
    page.head.replaceChildren(
      ...[...document.querySelectorAll("link")]
        .filter((link) => link.rel === "stylesheet" && link.href.includes("/lab/"))
        .map((link) => {
          const copy = page.createElement("link");
          copy.rel = "stylesheet";
          copy.href = link.href;
          return copy;
        }),
    );
    page.body.className = "s-presenter";
    const time_ = page.createElement("p");
    time_.id = "clock";
    const room = page.createElement("main");
    room.id = "notes";
    page.body.replaceChildren(time_, room);
    popup.onkeydown = (event) => {
      if (act(event.key)) event.preventDefault();
    };
    update();
  }

  return {
    clock,
    notes,
    update,
    open,
    toggle() {
      notes.hidden = !notes.hidden;
      update();
    },
    pause() {
      if (running) kept += performance.now() - begun;
      else begun = performance.now();
      running = !running;
      tick();
    },
    reset() {
      kept = 0;
      begun = performance.now();
      tick();
    },
    close() {
      clearInterval(timer);
      popup?.close();
    },
  };
}
