// The Playground's player. The server sends runs; this shows them and answers with events.
import { bars, legend } from "./bars.js";
import { charts } from "./charts.js";
import { controls, eventLog, readout } from "./controls.js";
import { decode } from "./decode.js";
import { exporter, helper, sharer } from "./dialogs.js";
import { h } from "../shared/dom.js";
import { editor } from "./editor.js";
import { invitation, toolbar } from "./frame.js";
import { gradientPanel, pairList } from "./pairs.js";
import { loadTerms, watchTerms } from "../shared/terms.js";
import { clock, keyboard, transport } from "./transport.js";

const styles = ["../vendor/uplot/uPlot.min.css", "playground.css"].map(
  (path) => new URL(path, import.meta.url).href,
);

function style(href) {
  const present = [...document.head.querySelectorAll("link")].find((link) => link.href === href);
  if (present) return Promise.resolve();
  return new Promise((done) => {
    document.head.append(h("link", { rel: "stylesheet", href, onload: done, onerror: done }));
  });
}

const fetchJson = async (path) => (await fetch(new URL(path, import.meta.url))).json();

class Player {
  constructor(host) {
    this.host = host;
    this.client = crypto.randomUUID?.() ?? String(Math.random());
    this.queue = [];
    this.sent = -1;
    this.view = {
      playhead: 0,
      playing: false,
      speed: 1,
      selected: null,
      future: false,
      presenter: false,
      played: false,
    };
    this.ready = this.build();
  }

  get step() {
    return Math.floor(this.view.playhead + 1e-9);
  }

  async build() {
    const [presets] = await Promise.all([fetchJson("../presets.json"), loadTerms(), ...styles.map(style)]);
    this.presets = presets;
    this.root = h("div", { class: "lab", tabindex: "-1" });
    this.status = h("div", { class: "status", role: "status" });
    this.clock = clock(this);
    this.parts = {
      toolbar: toolbar(this),
      transport: transport(this),
      controls: controls(this),
      legend: legend(this),
      bars: bars(this),
      readout: readout(this),
      charts: charts(this),
      invitation: invitation(this),
      gradient: gradientPanel(this),
      pairs: pairList(this),
      log: eventLog(this),
    };
    const p = this.parts;
    const plots = h("div", { class: "plots" }, p.charts.root, p.invitation.root);
    const right = h(
      "div",
      { class: "right" },
      plots,
      h("div", { class: "panels" }, p.pairs.root, p.log.root),
    );
    this.root.append(
      p.toolbar.root,
      this.status,
      p.transport.root,
      p.controls.root,
      h(
        "div",
        { class: "main" },
        h("div", { class: "left" }, p.legend.root, p.bars.root, p.readout.root, p.gradient.root),
        right,
      ),
    );
    this.host.replaceChildren(this.root);
    this.dialogs = { edit: editor(this), share: sharer(this), export: exporter(this), help: helper(this) };
    this.root.append(...Object.values(this.dialogs).map((d) => d.root));
    // After the pointer, the space bar plays again instead of pressing that control once more.
    let pointer = false;
    this.root.addEventListener(
      "pointerdown",
      () => {
        pointer = true;
      },
      true,
    );
    this.root.addEventListener(
      "keydown",
      () => {
        pointer = false;
      },
      true,
    );
    const release = (event) =>
      pointer &&
      event.target.closest?.(":is(button, select, [type=checkbox], [type=radio]):not(dialog *)")?.blur();
    this.root.addEventListener("click", (event) => event.target.closest?.("select") || release(event));
    this.root.addEventListener("change", release);
    const redraw = () => this.run && this.redraw();
    const resized = new ResizeObserver(() => {
      cancelAnimationFrame(this.later);
      this.later = requestAnimationFrame(redraw);
    });
    resized.observe(plots);
    const theme = setInterval(() => {
      // Streamlit announces a change of theme only through its CSS variables
      const now = getComputedStyle(this.host).getPropertyValue("--st-background-color");
      if (now !== this.theme) {
        this.theme = now;
        this.shade(now);
        redraw();
      }
    }, 500);
    this.theme = getComputedStyle(this.host).getPropertyValue("--st-background-color");
    this.shade(this.theme);
    const tidy = [
      keyboard(this),
      watchTerms(this.root),
      () => resized.disconnect(),
      () => clearInterval(theme),
      () => this.clock.stop(),
      () => clearTimeout(this.address),
      () => p.charts.destroy(),
      () => document.documentElement.classList.remove("dpo-presenter"),
    ];
    this.destroy = () => tidy.forEach((undo) => undo());
    if (this.gone) this.destroy();
  }

  shade(background) {
    const [r, g, b] = (background.match(/[0-9a-f]{2}/gi) ?? ["ff", "ff", "ff"]).map((x) => parseInt(x, 16));
    this.root.classList.toggle("dark", 0.3 * r + 0.59 * g + 0.11 * b < 128);
  }

  async receive(run, setStateValue) {
    this.setState = setStateValue;
    await this.ready;
    if (this.gone) return;
    const seen = run.acknowledged[this.client] ?? -1;
    this.queue = this.queue.filter(([number]) => number > seen);
    const arrived = !this.run;
    const fresh = this.run?.world !== run.world;
    const longer = this.run && run.steps > this.run.steps;
    const ended = this.run && this.view.playhead >= this.run.steps;
    this.run = run;
    if (fresh) {
      this.clock.stop();
      const playhead = (arrived ? this.rememberedStep(run) : null) ?? run.step;
      Object.assign(this.view, {
        playhead,
        playing: false,
        selected: null,
        future: false,
        played: playhead > 0,
      });
    }
    this.view.playhead = Math.min(this.view.playhead, run.steps);
    Object.values(this.parts).forEach((part) => part.update(run));
    Object.values(this.dialogs).forEach((dialog) => dialog.update?.(run, fresh));
    if (run.notice) this.say(run.notice.kind, run.notice.text);
    else if (this.status.dataset.kind === "error") this.say("", "");
    this.seek(this.view.playhead, true);
    if (longer && ended && !fresh) this.play(); // a change at the end: show what it does
    if (this.queue.length) this.flush();
  }

  redraw() {
    Object.values(this.parts).forEach((part) => part.update(this.run));
    this.seek(this.view.playhead, true);
  }

  send(event) {
    this.sent += 1;
    this.queue.push([this.sent, event]);
    this.flush();
  }

  // The whole unacknowledged queue goes each time, so that an event sent while the server is busy is not lost.
  flush() {
    this.setState("queue", { client: this.client, events: this.queue });
  }

  say(kind, text) {
    this.status.textContent = text;
    this.status.dataset.kind = kind;
    this.status.setAttribute("role", kind === "error" ? "alert" : "status");
  }

  intervene(change, value, comparison) {
    this.send({ type: "intervene", step: this.step, change, value, comparison });
  }

  flip(comparison) {
    this.view.selected = comparison; // drawn with the answer: drawing twice would only delay it
    this.intervene("flip", null, comparison);
  }

  seek(playhead, anew = false) {
    this.view.playhead = Math.max(0, Math.min(this.run.steps, playhead));
    const { step } = this;
    const now = `${step} ${this.view.playing}`;
    if (now === this.shown && !anew) {
      this.parts.charts.move();
      return;
    } // between two steps only the playhead moves
    this.shown = now;
    Object.values(this.parts).forEach((part) => part.seek?.(step));
    this.writeAddress();
  }

  play() {
    if (this.view.playhead >= this.run.steps) this.view.playhead = 0;
    Object.assign(this.view, { playing: true, played: true });
    this.clock.start();
    this.seek(this.view.playhead);
  }

  pause() {
    if (!this.view.playing) return;
    this.clock.stop();
    this.view.playing = false;
    this.view.playhead = this.step;
    this.seek(this.step);
  }

  toggle() {
    if (this.view.playing) this.pause();
    else this.play();
  }
  nudge(by) {
    this.pause();
    this.view.played = true;
    this.seek(this.step + by);
  }
  restart() {
    this.pause();
    this.seek(0);
  }
  select(pair) {
    this.view.selected = pair;
    this.redraw();
  }
  toggleFuture() {
    this.view.future = !this.view.future;
    this.view.played = true;
    this.redraw();
  }
  help() {
    this.dialogs.help.open();
  }

  togglePresenter() {
    this.view.presenter = !this.view.presenter;
    document.documentElement.classList.toggle("dpo-presenter", this.view.presenter);
    this.redraw();
  }

  get query() {
    return `${this.run.link}&t=${this.step}`;
  }

  // The address always holds the whole state; browsers allow only so many changes a second.
  writeAddress() {
    if (this.address) return;
    this.address = setTimeout(() => {
      this.address = null;
      history.replaceState(history.state, "", `${location.pathname}?${this.query}${location.hash}`);
      sessionStorage.setItem("dpo-playhead", JSON.stringify([this.run.link, this.step]));
    }, 350);
  }

  // After a visit to another page of the app the playhead is where it was left, unless the address says another.
  rememberedStep(run) {
    const [link, step] = JSON.parse(sessionStorage.getItem("dpo-playhead") ?? "[]");
    const asked = new URLSearchParams(location.search).get("t");
    return link === run.link && (asked === null || Number(asked) === step) ? step : null;
  }
}

export default function mount({ data, parentElement, setStateValue }) {
  const host = parentElement.querySelector(".dpo");
  host.player ??= new Player(host);
  host.player.receive(decode(data), setStateValue);
  return () => {
    host.player.gone = true;
    host.player.destroy?.();
  };
}
