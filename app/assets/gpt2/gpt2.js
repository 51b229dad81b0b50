// The GPT-2 page: settings, the run's plots, what the model writes, its pairs and its events.
import { h } from "../shared/dom.js";
import { experiment } from "./experiments.js";
import { eventLog, pairTable } from "./pairs.js";
import { plots } from "./plots.js";
import { progress } from "./progress.js";
import { samples, tokenStrip } from "./samples.js";
import { setup } from "./setup.js";
import { Surface, keep, kept, mounting } from "./surface.js";

const WORLD = "dpo-lab-gpt2-world"; // the Playground's pairs that the draft's flips are meant for

export class Page extends Surface {
  constructor(host, facts) {
    super(host, facts, "gpt2", { ...facts.defaults, text: "", flips: [], agreements: {} });
    this.chosen = null; // the run that the visitor wants solid, when they said so
    this.at = null; // the step whose samples are shown; null: the latest
    this.watched = null; // { pair | null, texts: [[prompt, reply]…] }: what is shown token by token
    this.previewed = []; // the pairs that a run would start with
    this.browsing = false; // whether they were asked for since the last start
  }

  get record() {
    const { records } = this;
    return (
      records.find((r) => r.id === this.chosen) ?? records.findLast((r) => r.started) ?? records[0] ?? null
    );
  }

  get other() {
    return this.records.find((r) => r !== this.record && r.started) ?? null;
  }
  get live() {
    return this.record && !this.record.ended;
  } // a run that waits or loads takes changes too

  // Whether the pairs in the table are those of the run that is under way.
  get mine() {
    const { record, draft } = this;
    return (
      this.live &&
      (record.started || !this.browsing || (draft.data !== "jsonl" && record.config.data === draft.data))
    );
  }

  build() {
    const p = {
      setup: setup(this),
      progress: progress(this),
      plots: plots(this),
      samples: samples(this),
      tokens: tokenStrip(this),
      pairs: pairTable(this),
      log: eventLog(this),
    };
    this.root.append(
      p.setup.root,
      p.progress.root,
      this.status,
      p.plots.root,
      p.samples.root,
      p.tokens.root,
      h("div", { class: "below" }, p.pairs.root, p.log.root),
    );
    return p;
  }

  learn(facts) {
    if (!facts.preview) return;
    if (facts.preview.data === "playground") {
      const about = facts.preview.pairs.map((pair) => pair.slice(0, 3));
      if (JSON.stringify(kept(WORLD) ?? about) !== JSON.stringify(about))
        Object.assign(this.draft, { flips: [], agreements: {} }); // they were meant for other pairs
      keep(WORLD, about);
    }
    this.previewed = facts.preview.pairs.map(([prompt, chosen, rejected, agreement]) => ({
      prompt,
      chosen,
      rejected,
      agreement,
    }));
    const there = (i) => Number(i) < this.previewed.length;
    this.draft.flips = this.draft.flips.filter(there);
    this.draft.agreements = Object.fromEntries(
      Object.entries(this.draft.agreements ?? {}).filter(([i]) => there(i)),
    );
  }

  greet() {
    super.greet();
    experiment(this);
    if (!this.records.length) this.preview();
    else if (this.draft.data === "playground") this.send({ type: "preview", draft: this.draft }); // it may be another world by now
  }

  heard() {
    const { record } = this;
    if (!record?.started) return;
    if (!this.watched) this.watchPair(0);
    else if (this.told !== record.id) this.ask();
  }

  // What a visitor does.
  start(compare) {
    this.chosen = this.at = this.watched = this.told = null;
    this.browsing = false;
    this.say("", "");
    this.send({ type: "start", draft: this.draft, compare });
  }

  compare() {
    if (this.records.length) {
      this.chosen = null;
      this.at = null;
      this.told = null;
      this.send({ type: "twin", run: this.records[0].id });
    } else this.start(true);
  }

  preview() {
    this.browsing = true;
    this.send({ type: "preview", draft: this.draft });
  }
  select(run) {
    this.browsing = false;
    this.chosen = run;
    this.at = null;
    this.told = null;
    this.heard();
    this.update();
  }
  look(step) {
    this.at = step;
    this.update();
  }
  intervene(change, value, comparison) {
    this.send({ type: "intervene", run: this.record.id, change, value, comparison });
  }

  // Pairs as they stand: the run's, or those that the next run would start with.
  pairs() {
    if (this.record?.pairs.length && (this.live || !this.browsing)) return this.record.pairs;
    const flips = new Set(this.draft.flips);
    return this.previewed.map((p, i) => ({
      ...p,
      agreement: this.draft.agreements?.[i] ?? p.agreement,
      ...(flips.has(i) && { chosen: p.rejected, rejected: p.chosen, flipped: true }),
    }));
  }

  // A change of a pair goes to the run that it belongs to; true where no draft is to be changed as well.
  handled(change, value, i) {
    if (this.mine) this.intervene(change, value, i);
    return this.live && this.record.started;
  }

  flip(i) {
    if (this.handled("flip", null, i)) return;
    const flips = new Set(this.draft.flips);
    const before = flips.delete(i);
    if (!before) flips.add(i);
    this.draft.flips = [...flips];
    if (this.record?.ended && !this.browsing)
      this.say(
        "info",
        `This run has no steps left. The next one begins with pair ${i + 1} ${before ? "as it was in the data" : "flipped"}.`,
      );
    this.update();
  }

  agree(i, share) {
    if (this.handled("agreement", share, i)) return;
    this.draft.agreements = { ...this.draft.agreements, [i]: share };
    if (this.record?.ended && !this.browsing)
      this.say(
        "info",
        `This run has no steps left. In the next one ${Math.round(100 * share)} % of the raters agree on pair ${i + 1}.`,
      );
    this.update();
  }

  watchPair(i) {
    const pair = this.pairs()[i];
    if (pair)
      this.watch(i, [
        [pair.prompt, pair.chosen],
        [pair.prompt, pair.rejected],
      ]);
  }

  // Any text, token by token, by the run's model as it is now.
  readText(prompt, reply) {
    if (!prompt.trim() || !reply.trim())
      this.say("error", "Your own text needs a prompt and a reply. Write some words in both fields.");
    else if (!this.record?.started) this.say("info", "There is no model to read it yet. Press Start first.");
    else {
      this.say("", "");
      this.watch(null, [[prompt, reply]]);
    }
  }

  watch(pair, texts) {
    this.watched = { pair, texts };
    this.ask();
    this.update();
  }

  ask() {
    const { record } = this;
    if (!record?.started) return;
    this.told = record.id;
    const read = ([prompt, reply]) => record.tokens.some((t) => t.prompt === prompt && t.reply === reply);
    if (record.ended && this.watched.texts.every(read)) return;
    this.send({ type: "watch", run: this.record.id, texts: this.watched.texts });
  }
}

export default mounting(Page);
