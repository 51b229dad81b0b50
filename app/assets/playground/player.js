// The Playground's player. The server sends runs; this shows them and answers with events.
import { bars } from "./bars.js";
import { charts } from "./charts.js";
import { controls, eventLog, readout } from "./controls.js";
import { decode } from "./decode.js";
import { exporter, helper, sharer } from "./dialogs.js";
import { h, loadStyles } from "../shared/dom.js";
import { EventQueue } from "../shared/event_queue.js";
import { loadFacts } from "../shared/facts.js";
import { LOOK } from "../shared/look.js";
import { drawnPairs } from "./drawn.js";
import { editor } from "./editor.js";
import { invitation, toolbar } from "./frame.js";
import { intro } from "./intro.js";
import { comparison } from "./compare.js";
import { gradientPanel } from "./gradient.js";
import { legend } from "./legend.js";
import { pairList } from "./pairs.js";
import { clock } from "../shared/playback.js";
import { loadTerms, watchTerms } from "../shared/terms.js";
import { watchTheme } from "../shared/theme.js";
import { tour } from "./tour.js";
import { keyboard, transport } from "./transport.js";
import { askedFor, presetView, stopBetween, viewQuery } from "./views.js";

// After the pointer, the space bar plays again instead of pressing that control once more.
function releaseFocus(root) {
  let pointer = false;
  const note = (is) => () => {
    pointer = is;
  };
  root.addEventListener("pointerdown", note(true), true);
  root.addEventListener("keydown", note(false), true);
  const release = (event) =>
    pointer &&
    event.target.closest?.(":is(button, select, [type=checkbox], [type=radio]):not(dialog *)")?.blur();
  root.addEventListener("click", (event) => event.target.closest("select") || release(event));
  root.addEventListener("change", release);
}

export class Player {
  constructor(host) {
    this.host = host;
    this.gone = false;
    /** @type {import("../shared/types.d.ts").Run | null} */
    this.run = null;
    this.events = new EventQueue();
    this.view = {
      playhead: 0,
      playing: false,
      speed: 1,
      selected: null, // the pair that the plots show; null: the mean of all
      plots: "", // "all", keys, or what the preset asks for
      future: false,
      presenter: false,
      played: false,
    };
    this.asked = new Set(); // the steps at which this run has stopped to ask
    this.ready = this.build();
  }

  get step() {
    return Math.floor(this.view.playhead + 1e-9);
  }

  async build() {
    await Promise.all([loadFacts(), loadTerms(), loadStyles(import.meta.url, LOOK)]);
    this.root = h("div", { class: "lab", tabindex: "-1" });
    this.status = h("div", { class: "status", role: "status" });
    this.clock = clock(this, (step) => this.advance(step));
    this.tour = tour(this);
    this.parts = {
      intro: intro(this),
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
      drawn: drawnPairs(this),
      compared: comparison(this),
      log: eventLog(this),
    };
    const plots = this.arrange();
    this.dialogs = { edit: editor(this), share: sharer(this), export: exporter(this), help: helper(this) };
    this.root.append(this.tour.root, ...Object.values(this.dialogs).map((d) => d.root));
    releaseFocus(this.root);
    const redraw = () => this.run && this.redraw();
    const resized = new ResizeObserver(() => {
      cancelAnimationFrame(this.later);
      this.later = requestAnimationFrame(redraw);
    });
    resized.observe(plots);
    const tidy = [
      keyboard(this),
      watchTerms(this.root),
      watchTheme(this.host, this.root, redraw),
      () => resized.disconnect(),
      () => this.clock.stop(),
      () => clearTimeout(this.address),
      () => this.parts.charts.destroy(),
      () => document.documentElement.classList.remove("dpo-presenter"),
    ];
    this.destroy = () => tidy.forEach((undo) => undo());
    if (this.gone) this.destroy();
  }

  // Puts the parts in their places; returns the node that holds the plots.
  arrange() {
    const p = this.parts;
    const plots = h("div", { class: "plots" }, p.charts.root, p.invitation.root);
    const panels = h("div", { class: "panels" }, p.compared.root, p.pairs.root, p.drawn.root, p.log.root);
    const left = h(
      "div",
      { class: "left" },
      h("h2", { class: "unseen" }, "The policy"),
      p.legend.root,
      p.bars.root,
      p.readout.root,
      p.gradient.root,
    );
    this.root.append(
      p.intro.root,
      p.toolbar.root,
      this.status,
      p.transport.root,
      p.controls.root,
      h("div", { class: "main" }, left, h("div", { class: "right" }, plots, panels)),
    );
    this.host.replaceChildren(this.root);
    return plots;
  }

  async receive(run, setStateValue) {
    await this.ready;
    if (this.gone) return;
    if (this.run && this.run.session !== run.session && this.run.link !== run.link)
      return this.restore(run, setStateValue);
    this.events.receive(run.acknowledged, setStateValue);
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
        selected: (presetView(run).pair ?? 0) - 1 >= 0 ? presetView(run).pair - 1 : null,
        plots: this.view.plots === "all" ? "all" : "",
        future: false,
        played: playhead > 0,
        ...(arrived ? askedFor(run) : {}),
      });
      this.asked.clear();
    }
    this.view.playhead = Math.min(this.view.playhead, run.steps);
    Object.values(this.parts).forEach((part) => part.update(run));
    Object.values(this.dialogs).forEach((dialog) => dialog.update?.(run, fresh));
    this.say(run.notice?.kind ?? "", run.notice?.text ?? "");
    this.seek(this.view.playhead, true);
    if (longer && ended && !fresh) this.play(); // a change at the end: show what it does
    this.events.flush();
  }

  // The server died, and another knows only the address that the page came with: tell it where we were.
  restore(run, setStateValue) {
    const lost = this.events.events.map(([, event]) => event);
    const { query } = this;
    this.run.session = run.session;
    this.events.events = [];
    this.events.receive(run.acknowledged, setStateValue);
    for (const event of [{ type: "open", query }, ...lost]) this.send(event);
  }

  redraw() {
    Object.values(this.parts).forEach((part) => part.update(this.run));
    this.seek(this.view.playhead, true);
  }

  send(event) {
    this.events.send({ at: this.step, ...event }); // a repeated event keeps its own step
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
    this.say("", "");
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

  // Plays on to ``playhead``, or to a step before it at which the preset stops to ask.
  advance(playhead) {
    const stop = stopBetween(this.run, this.view.playhead, playhead);
    if (!stop || this.asked.has(stop[0])) {
      this.seek(playhead);
      return;
    }
    this.asked.add(stop[0]);
    this.seek(stop[0]);
    this.pause();
    this.say("info", stop[1]);
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
  showPlots(keys) {
    this.view.plots = keys;
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
    return `${this.run.link}&t=${this.step}${viewQuery(this.run, this.view)}`;
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
