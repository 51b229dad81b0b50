// Answers and progress: kept by the browser for this session only, and saved to a file when asked.
import { download } from "../shared/dom.js";

const KEY = "dpo-lab-progress";

export class Progress {
  constructor() {
    try {
      this.state = JSON.parse(sessionStorage.getItem(KEY)) ?? {};
    } catch {
      this.state = {};
    }
    this.listeners = new Set();
  }

  of(slug) {
    return (this.state[slug] ??= { read: [], predictions: {} });
  }

  read(slug, section) {
    const own = this.of(slug);
    if (own.read.includes(section)) return;
    own.read.push(section);
    this.save();
  }

  predict(slug, id, answer) {
    this.of(slug).predictions[id] = { ...answer, at: new Date().toISOString() };
    this.save();
  }

  // What the reader says to have seen, kept beside the answer.
  saw(slug, id, words) {
    this.of(slug).predictions[id].saw = words;
    this.save();
  }

  solve(slug, key, answer) {
    (this.of(slug).solved ??= {})[key] = answer;
    this.save();
  }

  vote(slug, id, choice) {
    (this.of(slug).votes ??= {})[id] = choice;
    this.save();
  }

  save() {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.state));
    } catch {
      /* a full or forbidden store: the page still works */
    }
    this.listeners.forEach((told) => told());
  }

  summary(entry) {
    const own = this.state[entry.slug] ?? { read: [], predictions: {} };
    const made = Object.values(own.predictions);
    return {
      read: own.read.length,
      sections: entry.sections.length,
      made: made.length,
      predictions: entry.predictions,
      right: made.filter((answer) => answer.correct).length,
    };
  }

  export(index) {
    const lessons = index.lessons
      .filter((entry) => this.state[entry.slug])
      .map((entry) => ({
        lesson: entry.slug,
        ...this.summary(entry),
        sections_read: this.of(entry.slug).read,
        answers: this.of(entry.slug).predictions,
        votes: this.of(entry.slug).votes ?? {},
        solved: this.of(entry.slug).solved ?? {},
      }));
    download(
      "dpo-lab-progress.json",
      `${JSON.stringify({ exported: new Date().toISOString(), lessons }, null, 1)}\n`,
      "application/json",
    );
  }
}
