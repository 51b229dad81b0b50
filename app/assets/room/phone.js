// The page of a phone: the question, one's own vote, the result, and the lecturer's picture.
import { Link } from "./phone_link.js";
import { drawPicture } from "./phone_picture.js";
import { language, words } from "./phone_words.js";

const $ = (id) => document.getElementById(id);
document.documentElement.lang = language;

let question = null;
let buttons = [];
let picture = 0; // the number of the one drawn
let move = null;
let step = 0;
let trouble = ""; // why the last vote was not taken
let closing = 0; // when the countdown ends, by this phone's clock

function span(parent, name, text) {
  const node = document.createElement("span");
  node.className = name;
  node.textContent = text;
  parent.append(node);
}

function build() {
  $("text").textContent = question.text;
  $("answers").textContent = "";
  trouble = "";
  buttons = question.answers.map((text, answer) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "answer";
    button.dir = "auto";
    button.addEventListener("click", () => {
      trouble = "";
      room.vote(answer);
    });
    span(button, "", text);
    $("answers").append(button);
    return button;
  });
}

function results() {
  buttons.forEach((button, answer) => {
    button.textContent = "";
    const { share, votes } = question.result[answer];
    const bar = document.createElement("span");
    bar.className = "share";
    bar.style.transform = `scaleX(${share || 0})`;
    button.append(bar);
    span(button, "", question.answers[answer]);
    span(button, "count", `${percent(share)} · ${words.votes(votes)}`);
    if (question.before) {
      const before = question.before[answer];
      span(button, "before", `${words.before}: ${percent(before.share)} · ${words.votes(before.votes)}`);
    }
  });
}

const percent = (share) => (share === null ? "–" : `${Math.round(100 * share)} %`);

function showState() {
  const left = Math.max(0, Math.ceil((closing - Date.now()) / 1000));
  let text = question.again ? words.again : words.open;
  if (question.status === "open" && closing) text = `${words.left(left)} · ${text}`;
  $("state").textContent = question.status === "open" ? text : words[question.status];
}

function showVote() {
  if (!question) return;
  const { answer, waiting } = room.own();
  buttons.forEach((button, n) => {
    button.setAttribute("aria-pressed", n === answer);
    button.disabled = question.status !== "open";
  });
  const voted = answer !== null && answer !== undefined;
  let text = voted ? words.saved : "";
  if (waiting) text = $("line").className === "bad" ? words.kept : words.sending;
  if (question.status !== "open") text = voted ? `${words.own}: ${question.answers[answer]}` : "";
  if (trouble && !waiting) text = `${trouble} ${text}`;
  $("said").textContent = text;
}

async function showPicture(number) {
  if (number === picture) return;
  picture = number;
  $("lecture").hidden = !number;
  if (!number) return;
  try {
    const drawn = await room.picture();
    if (picture !== number) return;
    move = drawPicture($("lecture"), drawn);
    move(step);
  } catch {
    picture = 0; // read again with the next news
  }
}

const room = new Link({
  state(document) {
    const fresh = document.question && (!question || question.number !== document.question.number);
    question = document.question;
    $("question").hidden = !question;
    $("quiet").textContent = question || document.picture ? "" : words.wait;
    $("quiet").hidden = Boolean(question || document.picture);
    closing = question && question.left !== undefined ? Date.now() + 1000 * question.left : 0;
    if (fresh) build();
    if (question) {
      if (question.result) results();
      showState();
      showVote();
      if (fresh) $("text").focus({ preventScroll: true }); // so that a screen reader says the new question
      if (fresh) window.scrollTo(0, 0);
    }
    showPicture(document.picture);
  },
  step(now) {
    step = now;
    if (move && picture) move(step);
  },
  line(good) {
    $("line").textContent = good ? "" : words.offline;
    $("line").className = good ? "" : "bad";
    if (question) showVote();
  },
  vote: showVote,
  problem(status) {
    trouble = status === 409 ? words.late : words.refused;
    if (question) showVote();
    else $("quiet").textContent = trouble;
  },
  gone(wasThere) {
    question = null;
    $("question").hidden = $("lecture").hidden = true;
    $("quiet").hidden = false;
    $("quiet").textContent = wasThere ? words.gone : words.none;
    $("line").textContent = "";
  },
});

$("room").textContent = `DPO Lab · ${words.room} ${room.code}`;
document.title = `DPO Lab · ${words.room} ${room.code}`;

setInterval(() => {
  if (!question || question.status !== "open" || !closing) return;
  if (Date.now() >= closing) {
    question.status = "closed"; // as the room has it; nothing needs to be asked
    showVote();
  }
  showState();
}, 500);
