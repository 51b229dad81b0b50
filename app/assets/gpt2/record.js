// A run's record as it grows: messages in, columns out. (app/jobs.py and the worker's docstring list the types.)
import { facts } from "../shared/facts.js";

const CHANGES = {
  flip: (v, i) => `pair ${i + 1} flipped`,
  agreement: (v, i) => `agreement on pair ${i + 1} → ${Math.round(100 * v)} %`,
  beta: (v) => `β → ${v}`,
  learning_rate: (v) => `learning rate → ${v}`,
  sigma_weight: (v) => `σ weight ${v ? "on" : "off"}`,
  objective: (v) => `method → ${facts.methods[v.name].title}`,
};

function words(change) {
  const kind = Object.keys(CHANGES).find((key) => key in change);
  if (!kind)
    return Object.entries(change)
      .map(([key, value]) => `${key} → ${value}`)
      .join(", ");
  return CHANGES[kind](change[kind], kind === "flip" ? change.flip : change.comparison);
}

export class Record {
  constructor({ id, config }) {
    this.id = id;
    this.config = config;
    this.count = 0; // messages so far
    this.changed = 0; // times that some came
    this.state = "queued";
    this.position = 0;
    this.warm = true;
    this.started = null;
    this.last = null;
    this.progress = null;
    this.slow = null;
    this.now = null; // what changes have set since the start
    /** @type {{ [name: string]: (number | null)[] }} a metric's values by step */
    this.columns = {};
    this.measured = [];
    this.tokens = [];
    this.log = [];
    this.marks = [];
    this.pairs = [];
    this.failure = "";
    this.complaint = "";
  }

  get ended() {
    return facts.gpt2.ended.includes(this.state);
  }
  get steps() {
    return this.started?.steps ?? this.config.steps;
  }
  get step() {
    return this.last?.step ?? 0;
  }
  get name() {
    const { rules } = this;
    const { title, settings } = facts.methods[rules.name];
    const values = settings.map(({ key, label, scale }) =>
      scale === "switch" ? `${label} ${rules[key] ? "on" : "off"}` : `${label} ${rules[key]}`,
    );
    return [...(rules.name === "dpo" ? [] : [title]), ...values].join(", ");
  }

  // What is in force now: the configuration and every change since.
  get rules() {
    const { config, now } = this;
    return {
      learning_rate: config.optimizer.learning_rate,
      ...(now?.objective ?? config.objective),
      ...now,
    };
  }

  add(messages) {
    for (const message of messages) {
      this.count += 1;
      this[`on_${message.type}`]?.(message);
    }
    if (messages.length) this.changed += 1;
  }

  note(step, text, kind = "plain") {
    this.log.push({ step, text, kind });
  }

  change(step, intervention) {
    this.marks.push(step);
    this.note(step, words(intervention), "change");
    if ("flip" in intervention) {
      const pair = this.pairs[intervention.flip];
      if (pair) Object.assign(pair, { chosen: pair.rejected, rejected: pair.chosen, flipped: !pair.flipped });
    } else if ("agreement" in intervention) {
      if (this.pairs[intervention.comparison])
        this.pairs[intervention.comparison].agreement = intervention.agreement;
    } else if ("objective" in intervention) {
      const { learning_rate: rate } = this.rules;
      this.now = { learning_rate: rate, objective: intervention.objective };
    } else this.now = { ...this.now, ...intervention };
  }

  // ``step``: of the parameters that the margins were measured at; null: measured before, under other rules.
  figures({ index, margin, sigma_weight: weight }, step = null) {
    index.forEach((i, k) => {
      const pair = this.pairs[i];
      if (pair) Object.assign(pair, { margin: margin[k], weight: weight[k], at: step ?? pair.at });
    });
  }

  on_queued(m) {
    this.position = m.position;
  }
  on_assigned(m) {
    this.state = "starting";
    this.warm = m.warm;
    this.pending = m.interventions;
  }
  on_tables(m) {
    this.tiers = m.tiers;
    this.state = "finished";
  }
  on_progress(m) {
    this.progress = m;
  }
  on_slow(m) {
    this.slow = m.seconds;
    this.note(0, "waits for your word: see the forecast", "notice");
  }
  on_started(m) {
    Object.assign(this, { started: m, state: "running", progress: null, since: performance.now() });
    this.pairs = m.pairs.map((pair) => ({ ...pair, margin: null, weight: null }));
    this.note(0, `started on ${m.device}, ${m.dtype}`);
  }
  // Changes that were made before the start, or are repeated from the run that this one is compared with.
  due(step) {
    this.pending = (this.pending ?? []).filter((entry) => {
      if (entry.step > step) return true;
      const { step: at, ...change } = entry;
      this.change(at, change);
      return false;
    });
  }
  on_snapshot(m) {
    this.due(m.step);
    for (const name of Object.keys(m.metrics)) this.columns[name] ??= [];
    for (const [name, values] of Object.entries(this.columns)) values[m.step] = m.metrics[name] ?? null;
    this.last = m;
    if (this.state === "starting") this.state = "running";
    this.figures(m.pairs, m.step);
  }
  on_measured(m) {
    this.measured.push(m);
  }
  on_token_ratios(m) {
    this.tokens.push(m);
  }
  on_intervened(m) {
    const change = { ...m.intervention };
    delete change.step;
    this.change(m.step, change);
    this.figures(m.pairs);
  }
  on_paused(m) {
    if (!this.ended) this.state = "paused";
    if (m.step > 0 && this.log.at(-1)?.text !== "paused") this.note(m.step, "paused");
  }
  on_resumed(m) {
    if (!this.ended) this.state = "running";
    this.slow = null;
    if (m.step > 0) this.note(m.step, "resumed");
  }
  on_finished(m) {
    this.state = "finished";
    this.note(m.step, "finished");
  }
  on_stopped(m) {
    if (!this.ended) this.state = "stopped";
    this.note(m.step ?? this.step, "stopped");
  }
  on_cancelled(m) {
    this.state = "cancelled";
    this.failure = m.text;
    this.note(this.step, m.text, "notice");
  }
  on_notice(m) {
    this.note(m.step, m.text, "notice");
  }
  on_error(m) {
    this.note(this.step, m.text, "error");
    if (m.ended) {
      this.state = "failed";
      this.failure = m.text;
    } else this.complaint = m.text;
  }
}
