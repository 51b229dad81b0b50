// The GPT-2 page. Events go to the server through the component; what the runs report is fetched from their records.
import { h } from "../player/dom.js";
import { loadTerms, watchTerms } from "../player/terms.js";
import { eventLog, pairTable } from "./pairs.js";
import { plots } from "./plots.js";
import { progress } from "./progress.js";
import { Record } from "./record.js";
import { samples, tokenStrip } from "./samples.js";
import { setup } from "./setup.js";

const STYLES = ["../vendor/uplot/uPlot.min.css", "../player/player.css", "gpt2.css"].map((path) => new URL(path, import.meta.url).href);
const EVERY = 300; // ms between two looks at the records
const RUNS = "dpo-lab-gpt2-runs"; // in sessionStorage: a reloaded tab finds its runs again
const DRAFT = "dpo-lab-gpt2-draft";

function style(href) {
  if ([...document.head.querySelectorAll("link")].some((link) => link.href === href)) return Promise.resolve();
  return new Promise((done) => { document.head.append(h("link", { rel: "stylesheet", href, onload: done, onerror: done })); });
}

const kept = (key) => { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } };
const keep = (key, value) => { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* full, or not allowed: nothing is lost but comfort */ } };

class Page {
  constructor(host, facts) {
    this.host = host;
    this.facts = facts;
    this.client = crypto.randomUUID?.() ?? String(Math.random());
    this.queue = [];
    this.sent = -1;
    this.records = []; // the older run first
    this.chosen = null; // the run that the visitor wants solid, when they said so
    this.at = null; // the step whose samples are shown; null: the latest
    this.watched = null; // { pair | null, texts: [[prompt, reply]…] }
    this.previewed = [];
    this.draft = { ...structuredClone(facts.defaults), text: "", flips: [], ...kept(DRAFT) };
    if (facts.offered && !facts.offered.includes(this.draft.model)) this.draft.model = facts.offered[0] ?? "";
    this.asked = false;
    this.ready = this.build();
  }

  get record() {
    const { records } = this;
    return records.find((r) => r.id === this.chosen) ?? records.findLast((r) => r.started) ?? records[0] ?? null;
  }

  get other() { return this.records.find((r) => r !== this.record && r.started) ?? null; }

  async build() {
    await Promise.all([loadTerms(), ...STYLES.map(style)]);
    this.root = h("div", { class: "lab gpt2", tabindex: "-1" });
    this.status = h("div", { class: "status", role: "status" });
    this.parts = { setup: setup(this), progress: progress(this), plots: plots(this), samples: samples(this), tokens: tokenStrip(this), pairs: pairTable(this), log: eventLog(this) };
    const p = this.parts;
    this.root.append(p.setup.root, p.progress.root, this.status, p.plots.root, p.samples.root, p.tokens.root, h("div", { class: "below" }, p.pairs.root, p.log.root));
    this.host.replaceChildren(this.root);
    const shade = () => { // Streamlit announces a change of theme only through its CSS variables
      const now = getComputedStyle(this.host).getPropertyValue("--st-background-color");
      if (now === this.theme) return;
      this.theme = now;
      const [r, g, b] = (now.match(/[0-9a-f]{2}/gi) ?? ["ff", "ff", "ff"]).map((x) => parseInt(x, 16));
      this.root.classList.toggle("dark", 0.3 * r + 0.59 * g + 0.11 * b < 128);
      this.update();
    };
    shade();
    const theme = setInterval(shade, 500);
    const resized = new ResizeObserver(() => this.update());
    resized.observe(p.plots.root);
    const tidy = [watchTerms(this.root), () => clearInterval(theme), () => resized.disconnect(), () => clearTimeout(this.timer), () => p.plots.destroy(), () => { this.gone = true; }];
    this.destroy = () => tidy.forEach((undo) => undo());
  }

  async receive(facts, setStateValue) {
    this.setState = setStateValue;
    await this.ready;
    const seen = facts.acknowledged[this.client] ?? -1;
    this.queue = this.queue.filter(([number]) => number > seen);
    this.facts = facts;
    this.records = facts.runs.map((run) => this.records.find((r) => r.id === run.id) ?? new Record(run));
    if (facts.runs.length) keep(RUNS, facts.runs.map((r) => r.id));
    if (facts.preview) this.previewed = facts.preview.pairs.map(([prompt, chosen, rejected, agreement]) => ({ prompt, chosen, rejected, agreement }));
    if (facts.notice) this.complain(facts.notice);
    else if (seen >= 0 && this.status.dataset.kind === "error") this.say("", "");
    if (!this.asked) this.greet();
    this.update();
    this.follow();
    if (this.queue.length) this.flush();
  }

  // Once, on arrival: the runs of this tab before it was reloaded, and the pairs that would be trained on.
  greet() {
    this.asked = true;
    const before = kept(RUNS);
    if (!this.records.length && before?.length) this.send({ type: "adopt", runs: before });
    if (!this.records.length) this.preview();
  }

  send(event) {
    this.sent += 1;
    this.queue.push([this.sent, event]);
    this.flush();
    this.awake = performance.now();
    this.follow();
  }

  // The whole unacknowledged queue goes each time, so that an event sent while the server is busy is not lost.
  flush() { this.setState("queue", { client: this.client, events: this.queue }); }

  // Fetch what is new in the records while something can be new; one request at a time.
  follow() {
    if (this.timer || this.gone) return;
    const look = async () => {
      const began = performance.now();
      await this.fetch();
      if (this.gone) return;
      const busy = this.records.some((r) => !r.ended) || performance.now() - (this.awake ?? 0) < 5000;
      this.timer = busy ? setTimeout(look, Math.max(50, EVERY - (performance.now() - began))) : null;
    };
    this.timer = setTimeout(look, 0);
  }

  async fetch() {
    const { records } = this;
    if (!records.length) return;
    try {
      const answer = await fetch(new URL(`lab-runs/${records.map((r) => r.id)}?from=${records.map((r) => r.count)}`, document.baseURI));
      if (!answer.ok) throw new Error(answer.status);
      const news = await answer.json();
      for (const record of records) {
        const part = news[record.id];
        if (part && part.from === record.count) record.add(part.messages);
      }
      if (this.lost) { this.lost = false; this.say("", ""); }
    } catch {
      if (!this.lost) this.say("error", "The server does not answer. The page goes on trying; the curve so far stays.");
      this.lost = true;
    }
    this.tellFailures();
    this.update();
  }

  tellFailures() {
    const { record } = this;
    if (record?.started && !this.watched) this.watchPair(0);
    if (record?.started && this.watched && this.told !== record.id) { this.told = record.id; this.ask(); }
    for (const r of this.records) {
      const text = r.failure || r.complaint;
      if (text && r.said !== text) { r.said = text; this.say("error", text); }
    }
  }

  update() {
    if (!this.parts) return;
    Object.values(this.parts).forEach((part) => part.update());
    keep(DRAFT, this.draft);
  }

  say(kind, text) {
    this.status.textContent = text;
    this.status.dataset.kind = kind;
    this.status.setAttribute("role", kind === "error" ? "alert" : "status");
  }

  complain({ kind, text, where }) {
    this.say(kind, text);
    const field = where && this.root.querySelector(`[data-where="${CSS.escape(where.split(/[.[ :]/)[0])}"]`);
    if (field) field.focus();
  }

  // What a visitor does.
  start(compare) {
    this.chosen = this.at = this.watched = this.told = null;
    this.say("", "");
    this.send({ type: "start", draft: this.draft, compare });
  }

  compare() {
    if (this.records.length) { this.chosen = null; this.at = null; this.told = null; this.send({ type: "twin", run: this.records[0].id }); } else this.start(true);
  }

  preview() { this.send({ type: "preview", draft: this.draft }); }
  select(run) { this.chosen = run; this.at = null; this.told = null; this.tellFailures(); this.update(); }
  look(step) { this.at = step; this.update(); }
  intervene(change, value, comparison) { this.send({ type: "intervene", run: this.record.id, change, value, comparison }); }
  get live() { return this.record && !this.record.ended && this.record.started; }

  // Pairs as they stand: the run's, or those that the next run would start with.
  pairs() {
    if (this.record?.pairs.length) return this.record.pairs;
    const flips = new Set(this.draft.flips);
    return this.previewed.map((p, i) => (flips.has(i) ? { ...p, chosen: p.rejected, rejected: p.chosen, flipped: true } : p));
  }

  flip(i) {
    if (this.live) { this.intervene("flip", null, i); return; }
    if (this.record) { this.say("error", "This run is over. Start again to flip a label, while it waits or while it trains."); return; }
    const flips = new Set(this.draft.flips);
    if (!flips.delete(i)) flips.add(i);
    this.draft.flips = [...flips];
    this.update();
  }

  watchPair(i) {
    const pair = this.pairs()[i];
    if (pair) this.watch(i, [[pair.prompt, pair.chosen], [pair.prompt, pair.rejected]]);
  }

  watch(pair, texts) {
    this.watched = { pair, texts };
    this.ask();
    this.update();
  }

  ask() { if (this.record?.started) this.send({ type: "watch", run: this.record.id, texts: this.watched.texts }); }
}

export default function mount({ data, parentElement, setStateValue }) {
  const host = parentElement.querySelector(".dpo");
  const facts = JSON.parse(data);
  host.trainer ??= new Page(host, facts);
  host.trainer.receive(facts, setStateValue);
  return () => host.trainer.destroy?.();
}
