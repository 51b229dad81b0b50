// The frontier page: reward against KL in one world, and how the methods' runs move below the exact line.
import { h, loadStyles } from "../shared/dom.js";
import { EventQueue } from "../shared/event_queue.js";
import { loadFacts, presets } from "../shared/facts.js";
import { LOOK } from "../shared/look.js";
import { clock } from "../shared/playback.js";
import { loadTerms, term, watchTerms } from "../shared/terms.js";
import { watchTheme } from "../shared/theme.js";
import { table } from "./numbers.js";
import { methodList, sweepForm, tangentControl } from "./panel.js";
import { keys, playback } from "./playback.js";
import { Plot } from "./plot.js";
import { exporter } from "./save.js";
import { Sweeps } from "./sweeps.js";
import { verdict } from "./words.js";

const STYLES = [...LOOK, "frontier.css"];

function worldChoice(app) {
  const choose = h("select", {
    class: "preset",
    "aria-label": "World",
    onchange: () => app.send({ type: "world", key: choose.value }),
  });
  const option = ({ key, name }) => h("option", { value: key }, name);
  return {
    root: choose,
    update(page) {
      const rich = presets.filter((p) => page.rewarded.includes(p.key));
      const poor = presets.filter((p) => !page.rewarded.includes(p.key));
      choose.replaceChildren(
        ...(page.own || page.world === "own"
          ? [h("option", { value: "own" }, "The Playground's world")]
          : []),
        ...(page.world === "link" ? [h("option", { value: "link" }, "The world of this link")] : []),
        ...rich.map(option),
        h("optgroup", { label: "without true rewards" }, poor.map(option)),
      );
      choose.value = page.world;
    },
  };
}

export class FrontierPage {
  constructor(host) {
    this.host = host;
    this.gone = false;
    this.page = null;
    this.events = new EventQueue();
    this.view = { playhead: 0, speed: 1, playing: false, beta: 0 };
    this.sweeps = new Sweeps(() => this.redraw());
    this.ready = this.build();
  }

  async build() {
    await Promise.all([loadFacts(), loadTerms(), loadStyles(import.meta.url, STYLES)]);
    this.root = h("div", { class: "lab frontier", tabindex: "-1" });
    this.status = h("div", { class: "status", role: "status", "data-kind": "" });
    this.sentence = h("p", { class: "sentence" });
    this.clock = clock(this);
    this.parts = {
      world: worldChoice(this),
      playback: playback(this),
      plot: new Plot(this),
      methods: methodList(this),
      tangent: tangentControl(this),
      sweep: sweepForm(this),
      numbers: table(this),
    };
    this.exporter = exporter(this);
    this.arrange();
    const resized = new ResizeObserver(() => this.page && this.redraw());
    resized.observe(this.parts.plot.root);
    const tidy = [
      keys(this),
      watchTerms(this.root),
      watchTheme(this.host, this.root, () => this.page && this.redraw()),
      () => resized.disconnect(),
      () => this.clock.stop(),
      () => clearTimeout(this.address),
      () => this.sweeps.cancel(),
    ];
    this.destroy = () => tidy.forEach((undo) => undo());
    if (this.gone) this.destroy();
  }

  arrange() {
    const p = this.parts;
    const lead = h(
      "p",
      { class: "watch" },
      "True reward against ",
      term("kl/policy_reference", "KL(π‖π_ref)"),
      ": the ",
      term("frontier", "exact frontier"),
      ", ",
      term("best_of_n", "best of N"),
      " and the methods' runs in one world.",
    );
    this.save = h("button", { type: "button", onclick: () => this.exporter.open() }, "Export");
    this.root.append(
      h(
        "div",
        { class: "toolbar" },
        h("div", { class: "what" }, p.world.root, lead),
        h("div", { class: "actions" }, this.save),
      ),
      this.status,
      this.sentence,
      p.playback.root,
      h(
        "div",
        { class: "main" },
        p.plot.root,
        h("div", { class: "side" }, p.methods.root, p.tangent.root, p.sweep.root),
      ),
      p.numbers.root,
      this.exporter.root,
    );
    this.host.replaceChildren(this.root);
  }

  async receive(page, setStateValue) {
    await this.ready;
    if (this.gone) return;
    this.events.receive(page.acknowledged, setStateValue);
    const before = this.page;
    if (before && this.events.waiting) page.on = before.on; // a click that is still under way
    this.page = page;
    const other = !before || before.opened !== page.opened || before.steps !== page.steps;
    if (other) this.view.playhead = this.placeOf(page.step);
    if (page.line && (!before?.line || other || page.line[page.at].beta !== before.line[before.at].beta))
      this.view.beta = page.at;
    else if (page.line) this.view.beta = this.nearestBeta(before.line[this.view.beta].beta);
    this.say(
      page.notice?.kind ?? (page.refused && page.line ? "error" : ""),
      page.notice?.text ?? (page.line && page.refused) ?? "",
    );
    this.sweeps.want(page);
    this.redraw();
    this.events.flush();
  }

  nearestBeta(beta) {
    const far = (point) => Math.abs(Math.log(point.beta / beta));
    return this.page.line.reduce((best, p, i, all) => (far(p) < far(all[best]) ? i : best), 0);
  }

  placeOf(step) {
    const { kept } = this.page;
    return step === null ? kept.length - 1 : kept.reduce((at, s, i) => (s <= step ? i : at), 0);
  }

  /** The runs that are there and switched on, in the methods' order. */
  get runs() {
    return this.drawnMethods().flatMap((name) => this.sweeps.trails.get(name));
  }

  drawnMethods() {
    return this.page.on.filter((name) => this.sweeps.trails.has(name));
  }

  get place() {
    return this.view.playhead;
  }

  get step() {
    return this.page.kept[Math.round(this.view.playhead)];
  }

  /** What the clock of the Playground counts in: places among the kept steps. */
  get run() {
    return { steps: this.page.kept.length - 1 };
  }

  redraw() {
    const { world, plot, ...rest } = this.parts; // the rest has nothing to say of a world without rewards
    const shown = Boolean(this.page.line);
    for (const part of [world, plot]) part.update(this.page);
    for (const part of Object.values(rest)) {
      part.root.hidden = !shown;
      if (shown) part.update(this.page);
    }
    this.sentence.hidden = this.save.hidden = !shown;
    if (shown) {
      this.lean(this.view.beta);
      this.seek(this.view.playhead);
    }
    this.writeAddress();
  }

  seek(playhead) {
    this.view.playhead = Math.max(0, Math.min(this.run.steps, playhead));
    this.parts.plot.seek(this.view.playhead);
    this.parts.playback.seek(this.view.playhead);
    this.sentence.textContent = verdict(this.page, this.runs, this.view.playhead);
    if (!this.view.playing) this.parts.numbers.update();
    this.writeAddress();
  }

  toggle() {
    if (this.view.playing) this.pause();
    else this.play();
  }

  play() {
    if (!this.page.line) return;
    if (this.view.playhead >= this.run.steps) this.view.playhead = 0;
    this.view.playing = true;
    this.parts.playback.turn(true);
    this.clock.start();
  }

  pause() {
    if (!this.view.playing) return;
    this.clock.stop();
    this.view.playing = false;
    this.parts.playback.turn(false);
    this.seek(Math.round(this.view.playhead));
  }

  nudge(by) {
    this.pause();
    this.seek(Math.round(this.view.playhead) + by);
  }

  jump(place) {
    this.pause();
    this.seek(place);
  }

  send(event) {
    this.events.send(event);
  }

  show(name, on) {
    const { methods, on: present } = this.page;
    this.showOnly(methods.map((m) => m.name).filter((one) => (one === name ? on : present.includes(one))));
  }

  showOnly(names) {
    this.page.on = names;
    this.send({ type: "on", value: names.join(",") });
    this.redraw();
  }

  stress(chosen) {
    this.parts.plot.stress(chosen);
  }

  /** Moves the tangent to a point of the line. */
  lean(index) {
    this.view.beta = index;
    this.parts.plot.lean(index);
    this.parts.tangent.lean(index);
  }

  keepBeta() {
    this.send({ type: "beta", value: Number(this.page.line[this.view.beta].beta.toPrecision(6)) });
  }

  query(run, step) {
    return `${run.link}&t=${step}`;
  }

  /** A link that opens a run in the Playground, in this very visit unless another tab is asked for. */
  opener(run, step, text) {
    const go = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.open(run, step);
    };
    return h("a", { href: `./?${this.query(run, step)}`, onclick: go }, text);
  }

  open(run, step) {
    this.pause();
    this.send({ type: "open", query: this.query(run, step) });
  }

  say(kind, text) {
    this.status.textContent = text;
    this.status.dataset.kind = kind;
    this.status.setAttribute("role", kind === "error" ? "alert" : "status");
  }

  // The address always holds the whole state; browsers allow only so many changes a second.
  writeAddress() {
    if (this.address) return;
    this.address = setTimeout(() => {
      this.address = null;
      if (this.gone) return;
      history.replaceState(
        history.state,
        "",
        `${location.pathname}?${this.page.link}&t=${this.step}${location.hash}`,
      );
    }, 350);
  }
}

export default function mount({ data, parentElement, setStateValue }) {
  const host = parentElement.querySelector(".dpo");
  host.frontier ??= new FrontierPage(host);
  host.frontier.receive(JSON.parse(data), setStateValue);
  return () => {
    host.frontier.gone = true;
    host.frontier.destroy?.();
  };
}
