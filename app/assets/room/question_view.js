// The question that the room is at: who has voted, what came out, and what may be done with it.
import { h } from "../shared/dom.js";
import { share } from "../shared/format.js";
import { agreementOf, newestByComparison } from "./votes.js";

const LIVE_EVERY = 1000; // ms between two interventions that follow the open question
const STATUS = { open: "Open", closed: "Closed, not yet revealed", revealed: "Revealed" };

function bar(row, name) {
  return h(
    "div",
    { class: "votes" },
    h("span", { class: "round" }, name),
    h("span", { class: "track" }, h("i", { class: "fill", style: `transform:scaleX(${row.share ?? 0})` })),
    h("span", { class: "tallied" }, row.share === null ? "–" : `${share(row.share)} · ${row.votes}`),
  );
}

const said = (text) => h("div", { class: "said", dir: "auto" }, text);

// Each answer with its bar, and the earlier round's beside it.
function results(question, before) {
  return question.answers.map((text, k) =>
    h(
      "div",
      { class: "answer" },
      said(text),
      before ? bar(before.result[k], "round 1") : null,
      bar(question.result[k], before ? "round 2" : ""),
    ),
  );
}

export class QuestionView {
  /**
   * @param {import("../shared/types.d.ts").Player} app
   * @param {import("./driver_link.js").DriverLink} link
   * @param {import("./ask_form.js").AskForm} form
   */
  constructor(app, link, form) {
    this.app = app;
    this.link = link;
    this.form = form;
    this.used = { number: 0, at: 0, p: /** @type {number | null} */ (null) };
    this.title = h("h3", { dir: "auto" });
    this.status = h("p", { class: "state", role: "status" });
    this.shown = h("div", { class: "results" });
    this.verdict = h("div", { class: "judgement" });
    this.live = h("input", { type: "checkbox", role: "switch", "aria-label": "live" });
    this.follow = h("label", { class: "switch" }, this.live, "live: p follows the votes while it is open");
    this.buttons = this.build();
    this.root = h(
      "div",
      { class: "question" },
      this.title,
      this.status,
      this.shown,
      this.verdict,
      h("div", { class: "line" }, Object.values(this.buttons)),
      this.follow,
    );
  }

  build() {
    const { link, form } = this;
    const button = (text, action, extra = "") =>
      h("button", { type: "button", class: extra, onclick: () => action(link.state.questions.at(-1)) }, text);
    return {
      close: button("Close", ({ number }) => link.do("close", { question: number }), "primary"),
      reveal: button("Reveal", ({ number }) => link.do("reveal", { question: number }), "primary"),
      use: button("Use the votes", (question) => this.use(question), "primary"),
      all: button("Use all", () => newestByComparison(link.state.questions).forEach((q) => this.use(q))),
      again: button("Ask again", (question) => form.again(question)),
      next: button("Next pair", () => form.next()),
    };
  }

  use(question) {
    const p = agreementOf(this.app.run, this.app.step, question);
    if (p !== null) this.app.intervene("agreement", p, question.about.comparison);
  }

  // With "live" on, an open question's share is in force as it comes in.
  keepFollowing(question) {
    const p = agreementOf(this.app.run, this.app.step, question);
    const same = this.used.number === question.number && this.used.p === p;
    if (!this.live.checked || question.status !== "open" || p === null || same) return;
    if (Date.now() - this.used.at < LIVE_EVERY) return;
    this.used = { number: question.number, at: Date.now(), p };
    this.use(question);
  }

  offer(question, questions) {
    const { status } = question;
    const { close, reveal, use, all, again, next } = this.buttons;
    const p = agreementOf(this.app.run, this.app.step, question);
    const many = newestByComparison(questions).length;
    const waiting = this.form.row.length;
    close.hidden = status !== "open";
    reveal.hidden = status !== "closed";
    use.hidden = status !== "revealed" || p === null;
    if (p !== null) use.textContent = `Use the votes: p = ${share(p)}`;
    all.hidden = status === "open" || many < 2;
    all.textContent = `Use the votes of all ${many} pairs`;
    again.hidden = status === "open";
    next.hidden = status === "open" || !waiting;
    next.textContent = `Next pair (${waiting} left)`;
    this.follow.hidden = status !== "open" || question.about.comparison === undefined;
  }

  // What stands under a result.
  words(question) {
    if (question.status !== "revealed") return [];
    const strange = question.about.comparison !== undefined && question.votes;
    return strange && agreementOf(this.app.run, this.app.step, question) === null
      ? [...question.verdict, "This question is about another world than the one on screen."]
      : question.verdict;
  }

  update(state) {
    const question = state.questions.at(-1);
    this.root.hidden = !question;
    if (!question) return;
    const before = question.again ? state.questions[question.again - 1] : null;
    const left = question.left && question.status === "open" ? ` · ${Math.ceil(question.left)} s left` : "";
    const see = question.status === "revealed" || (question.status === "open" && this.live.checked);
    this.title.textContent = question.text;
    const voted = `${question.votes} vote${question.votes === 1 ? "" : "s"}`;
    this.status.textContent = `${STATUS[question.status]}: ${voted}${left}`;
    this.shown.replaceChildren(
      ...(see
        ? results(question, before?.status === "revealed" ? before : null)
        : question.answers.map((text) => said(text))),
    );
    this.verdict.replaceChildren(...this.words(question).map((line) => h("p", {}, line)));
    this.offer(question, state.questions);
    this.keepFollowing(question);
  }
}
