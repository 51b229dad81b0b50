// The phone's line to its room: joining, reading what changed, and a vote that waits until it can be sent.

const CODE = location.pathname.replace(/\/+$/, "").split("/").pop().toUpperCase();
const BASE = location.pathname.replace(/\/+$/, "");
const KEY = `dpo-lab-room-${CODE}`;
const SPREAD = 500; // ms over which the phones of a room spread their reading
const SILENCE = 40_000; // ms without a heartbeat after which the stream counts as dead

let memory = null; // where the browser keeps nothing, the vote lives as long as the page

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) || memory || {};
  } catch {
    return memory || {};
  }
}

function remember(change) {
  memory = Object.assign(remembered(), change);
  try {
    localStorage.setItem(KEY, JSON.stringify(memory));
  } catch {
    // kept in memory
  }
}

// Tells `page` of: state(document), step(number), line(true or false), vote(), problem(status), gone(whether it was ever there).
export function link(page) {
  let stream = null;
  let version = 0; // the newest that was heard of
  let state = null; // the newest that was read
  let reading = false;
  let sending = false;
  let ended = false;
  let heard = Date.now();
  let due = 0;

  async function ask(path, options = {}) {
    const headers = { Authorization: `Bearer ${remembered().voter || ""}` };
    const answer = await fetch(`${BASE}/${path}`, { cache: "no-store", headers, ...options });
    const document = await answer.json().catch(() => ({}));
    return { status: answer.status, document };
  }

  async function join() {
    const { status, document } = await ask("join", { method: "POST" });
    if (status === 200) remember({ voter: document.voter, pending: null });
    else refused(status, document);
    return status === 200;
  }

  function refused(status, document) {
    if (status === 404) return end();
    if (status < 500 && status !== 429) return page.problem(status);
    throw new Error(document.error || `${status}`); // busy or away: tried again
  }

  function end() {
    ended = true;
    if (stream) stream.close();
    clearTimeout(due);
    page.gone(Boolean(state));
  }

  async function read() {
    if (reading || ended) return;
    reading = true;
    try {
      if (!remembered().voter && !(await join())) return;
      const asked = version;
      let { status, document } = await ask(`state?version=${version}`);
      if (status === 403) {
        remember({ voter: "" }); // the room of yesterday had the same code
        if (await join()) ({ status, document } = await ask(`state?version=${version}`));
      }
      if (status !== 200) return refused(status, document);
      page.line(true);
      state = document;
      version = Math.max(version, document.version);
      page.state(document);
      flush();
      if (!stream) listen();
      if (version > Math.max(asked, document.version)) soon();
    } catch {
      page.line(false);
      soon(1000);
    } finally {
      reading = false;
    }
  }

  // All phones hear of a change at once; they read it over half a second.
  function soon(after = 0) {
    clearTimeout(due);
    due = setTimeout(read, after + SPREAD * Math.random());
  }

  function listen() {
    if (stream) stream.close();
    heard = Date.now();
    const own = new EventSource(`${BASE}/news?voter=${encodeURIComponent(remembered().voter)}`);
    stream = own;
    own.onmessage = (event) => {
      heard = Date.now();
      page.line(true);
      if (event.data === "gone") return end();
      const [now, step] = event.data.split(" ").map(Number);
      page.step(step);
      version = Math.max(version, now);
      if (!state || now > state.version) soon();
    };
    own.onerror = () => {
      if (ended || own !== stream) return;
      page.line(false);
      own.close(); // by our own clock: a browser gives up on a stream that was answered with an error
      stream = null;
      soon(500);
    };
  }

  async function flush() {
    const { pending } = remembered();
    if (!pending || sending || ended) return;
    if (!state || !state.question || state.question.number !== pending.question) {
      remember({ pending: null }); // that question is over
      return page.vote();
    }
    sending = true;
    try {
      const body = JSON.stringify(pending);
      const { status, document } = await ask("vote", { method: "POST", body });
      if (status === 429 || status >= 500) throw new Error(document.error);
      const now = remembered().pending;
      if (now && now.question === pending.question && now.answer === pending.answer)
        remember({ pending: null });
      if (status === 200) state.vote = document.vote;
      else page.problem(status);
      if (status === 409 || status === 403) soon();
      page.line(true);
    } catch {
      page.line(false);
      setTimeout(flush, 1000 + SPREAD * Math.random());
    } finally {
      sending = false;
    }
    page.vote();
    if (remembered().pending && remembered().pending.answer !== pending.answer) flush();
  }

  // A phone that was locked or out of reach reads the room anew when it wakes.
  function wake() {
    if (ended || document.visibilityState === "hidden") return;
    if (!stream || Date.now() - heard > SILENCE) {
      if (stream) stream.close();
      stream = null;
    }
    read();
  }
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("online", wake);
  window.addEventListener("pageshow", (event) => event.persisted && wake());
  window.addEventListener("offline", () => page.line(false));
  setInterval(() => Date.now() - heard > SILENCE && wake(), 5000);
  read();

  return {
    code: CODE,
    vote(answer) {
      remember({ pending: { question: state.question.number, answer } });
      page.vote();
      flush();
    },
    // The vote as this phone means it, and whether the room has it.
    own() {
      const { pending } = remembered();
      const waiting = pending && state.question && pending.question === state.question.number;
      return { answer: waiting ? pending.answer : state.vote, waiting: Boolean(waiting) };
    },
    picture: async () => (await ask("picture")).document,
  };
}
