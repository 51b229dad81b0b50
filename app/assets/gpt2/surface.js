// What the GPT-2 and parity pages share: events to the server, records followed, light or dark, runs kept over a reload.
import { h, loadStyles } from "../shared/dom.js";
import { EventQueue } from "../shared/event_queue.js";
import { loadFacts } from "../shared/facts.js";
import { LOOK } from "../shared/look.js";
import { loadTerms, watchTerms } from "../shared/terms.js";
import { watchTheme } from "../shared/theme.js";
import { Record } from "./record.js";

const STYLES = [...LOOK, "gpt2.css"];
const EVERY = 300; // ms between two looks at the records

export const kept = (key) => {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
};
export const keep = (key, value) => {
  try {
    sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    /* full, or not allowed: nothing is lost but comfort */
  }
};

export class Surface {
  // ``name`` tells the pages' memories apart; ``draft`` is what the fields hold at first.
  constructor(host, facts, name, draft) {
    this.host = host;
    this.facts = facts;
    this.events = new EventQueue();
    this.records = []; // the older run first
    this.memory = { runs: `dpo-lab-${name}-runs`, draft: `dpo-lab-${name}-draft` };
    this.draft = { ...structuredClone(draft), ...kept(this.memory.draft) };
    if (facts.offered && !facts.offered.includes(this.draft.model)) this.draft.model = facts.offered[0] ?? "";
    this.greeted = false;
    this.ready = this.open();
  }

  async open() {
    await Promise.all([loadFacts(), loadTerms(), loadStyles(import.meta.url, STYLES)]);
    this.root = h("div", { class: "lab gpt2", tabindex: "-1" });
    this.status = h("div", { class: "status", role: "status" });
    this.parts = this.build();
    this.host.replaceChildren(this.root);
    const resized = new ResizeObserver(() => this.update());
    resized.observe(this.root);
    const tidy = [
      watchTerms(this.root),
      watchTheme(this.host, this.root, () => this.update()),
      () => resized.disconnect(),
      () => clearTimeout(this.timer),
      () => {
        this.gone = true;
      },
      ...Object.values(this.parts).map((part) => () => part.destroy?.()),
    ];
    this.destroy = () => tidy.forEach((undo) => undo());
  }

  async receive(facts, setStateValue) {
    await this.ready;
    this.events.receive(facts.acknowledged, setStateValue);
    this.facts = facts;
    if (facts.runs.length || !this.records.length) {
      this.records = facts.runs.map((run) => this.records.find((r) => r.id === run.id) ?? new Record(run));
      this.asked = false;
    } else if (!this.asked) {
      // a new session, after a sleep, knows of no run: what is on screen stays
      this.asked = true;
      this.send({ type: "adopt", runs: this.records.map((r) => r.id) });
    }
    if (facts.runs.length)
      keep(
        this.memory.runs,
        facts.runs.map((r) => r.id),
      );
    this.learn(facts);
    if (facts.notice) this.complain(facts.notice);
    else if (this.complained) {
      this.complained = false;
      this.say("", "");
    }
    if (!this.greeted) this.greet();
    this.update();
    this.follow();
    this.events.flush();
  }

  // What a page adds: its parts, and what it makes of new facts and of news in the records.
  build() {
    return {};
  }

  /** @param {object} _facts */
  learn(_facts) {}

  // Once, on arrival: the runs of this tab before it was reloaded.
  greet() {
    this.greeted = true;
    const before = kept(this.memory.runs);
    if (!this.records.length && before?.length) this.send({ type: "adopt", runs: before });
  }

  send(event) {
    this.events.send(event);
    this.awake = performance.now();
    this.follow();
  }

  // Fetch what is new in the records while something can be new; one request at a time.
  follow() {
    if (this.timer || this.gone) return;
    const look = async () => {
      const began = performance.now();
      await this.fetch();
      if (this.gone) return;
      if (this.records.some((r) => !r.ended)) this.awake = performance.now(); // what was asked is answered after the end
      const busy = performance.now() - (this.awake ?? 0) < 5000;
      this.timer = busy ? setTimeout(look, Math.max(50, EVERY - (performance.now() - began))) : null;
    };
    this.timer = setTimeout(look, 0);
  }

  async fetch() {
    const { records } = this;
    if (!records.length) return;
    try {
      const answer = await fetch(
        new URL(`lab-runs/${records.map((r) => r.id)}?from=${records.map((r) => r.count)}`, document.baseURI),
      );
      if (!answer.ok) throw new Error(String(answer.status));
      const news = await answer.json();
      for (const record of records) {
        const part = news[record.id];
        if (part && part.from === record.count) record.add(part.messages);
      }
      if (this.lost) {
        this.lost = false;
        this.say("", "");
      }
    } catch {
      if (!this.lost)
        this.say("error", "The server does not answer. The page goes on trying; what it has so far stays.");
      this.lost = true;
    }
    for (const r of this.records) {
      const text = r.failure || r.complaint;
      if (text && r.said !== text) {
        r.said = text;
        this.say("error", text);
      }
    }
    this.heard();
    this.update();
  }

  heard() {}

  update() {
    if (!this.parts) return;
    Object.values(this.parts).forEach((part) => part.update());
    keep(this.memory.draft, this.draft);
  }

  say(kind, text) {
    this.status.textContent = text;
    this.status.dataset.kind = kind;
    this.status.setAttribute("role", kind === "error" ? "alert" : "status");
  }

  // What the server found wrong with an event; what was typed stays, and the field gets the cursor.
  complain({ kind, text, where }) {
    this.complained = true;
    this.say(kind, text);
    const named = (where ?? "").replaceAll(" ", "_");
    const field = [
      .../** @type {NodeListOf<HTMLElement>} */ (this.root.querySelectorAll("[data-where]")),
    ].find((node) => named.includes(node.dataset.where));
    if (field) field.focus();
  }
}

// The entry point that Streamlit calls with every change of data.
export const mounting =
  (Kind) =>
  ({ data, parentElement, setStateValue }) => {
    const host = parentElement.querySelector(".dpo");
    const facts = JSON.parse(data);
    host.surface ??= new Kind(host, facts);
    host.surface.receive(facts, setStateValue);
    return () => host.surface.destroy?.();
  };
