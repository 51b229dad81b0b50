// What the lecturer asks: a comparison on screen, all of them in a row, or a text with two to four answers.
import { h } from "../shared/dom.js";
import { short } from "../shared/format.js";
import { questionAbout } from "./votes.js";

const COUNTDOWNS = [0, 15, 30, 60, 120];
const OWN = "own";
const ROW = "row";

const answerField = (n) =>
  h("input", {
    type: "text",
    class: "wide",
    "aria-label": `Answer ${n}`,
    placeholder: n > 2 ? `Answer ${n} (or none)` : `Answer ${n}`,
    maxlength: 300,
  });

export class AskForm {
  /**
   * @param {import("../shared/types.d.ts").Player} app
   * @param {import("./driver_link.js").DriverLink} link
   */
  constructor(app, link) {
    this.app = app;
    this.link = link;
    this.row = []; // the comparisons that are still to be asked
    this.shape = "";
    this.choose = h("select", { "aria-label": "What to ask", onchange: () => this.show() });
    this.countdown = h(
      "select",
      { "aria-label": "Countdown" },
      COUNTDOWNS.map((s) => h("option", { value: s }, s ? `${s} s` : "no countdown")),
    );
    this.text = h("textarea", { rows: 2, class: "wide", "aria-label": "Your question", maxlength: 500 });
    this.answers = [1, 2, 3, 4].map(answerField);
    this.own = h("div", { class: "own" }, this.text, this.answers);
    const send = h("button", { type: "button", class: "primary", onclick: () => this.send() }, "Ask");
    this.root = h(
      "div",
      { class: "ask" },
      h("h3", {}, "Ask the room: which reply is better?"),
      this.choose,
      this.own,
      h("div", { class: "line" }, this.countdown, send),
    );
  }

  ask(question, again = 0) {
    const seconds = Number(this.countdown.value);
    return this.link.do("ask", { ...question, seconds, ...(again ? { again } : {}) });
  }

  pair(i) {
    return this.ask(questionAbout(this.app.run, this.app.step, i));
  }

  async send() {
    if (this.choose.value === OWN) {
      const typed = this.answers.map((field) => field.value).filter((value) => value.trim());
      if (!(await this.ask({ text: this.text.value, answers: typed }))) return;
      for (const field of [this.text, ...this.answers]) field.value = "";
      this.row = [];
      return;
    }
    const all = this.app.run.segmentAt(this.app.step).comparisons.map((_, i) => i);
    const asked = this.choose.value === ROW ? all : [Number(this.choose.value)];
    if (await this.pair(asked[0])) this.row = asked.slice(1);
  }

  async next() {
    const [first, ...others] = this.row;
    if (await this.pair(first)) this.row = others;
  }

  again({ number, text, answers, about }) {
    return this.ask({ text, answers, about }, number);
  }

  show() {
    this.own.hidden = this.choose.value !== OWN;
  }

  update(run) {
    const { comparisons } = run.segments[0];
    const now = JSON.stringify([run.world, comparisons.map((c) => c[0])]);
    if (now === this.shape) return;
    this.shape = now;
    this.row = [];
    const named = comparisons.map((_, i) => {
      const [one, other] = questionAbout(run, 0, i).answers;
      return h("option", { value: i }, `Pair ${i + 1}: ${short(one, 22)} / ${short(other, 22)}`);
    });
    const all = comparisons.length > 1 ? [h("option", { value: ROW }, "All pairs in a row")] : [];
    this.choose.replaceChildren(...named, ...all, h("option", { value: OWN }, "A question of my own"));
    this.show();
  }
}
