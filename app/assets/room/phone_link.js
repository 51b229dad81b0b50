// The phone's line to its room: joining, reading what changed, and a vote that waits until it can be sent.

const BASE = location.pathname.replace(/\/+$/, "");
const CODE = BASE.split("/").pop().toUpperCase();
const KEY = `dpo-lab-room-${CODE}`;
const SPREAD = 500; // ms over which the phones of a room spread their reading
const SILENCE = 40_000; // ms without a heartbeat after which the stream counts as dead

let memory = {}; // where the browser keeps nothing, the vote lives as long as the page

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) || memory;
  } catch {
    return memory;
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

/**
 * What the link tells the page.
 * @typedef {object} Listener
 * @property {(document: any) => void} state  the room as the server has it
 * @property {(step: number) => void} step  the lecturer's playhead
 * @property {(good: boolean) => void} line  whether the room answers
 * @property {() => void} vote  one's own vote changed
 * @property {(status: number) => void} problem  the room refused something
 * @property {(wasThere: boolean) => void} gone  there is no such room, or no more
 */

export class Link {
  /** @param {Listener} page */
  constructor(page) {
    this.code = CODE;
    this.page = page;
    /** @type {EventSource | null} */
    this.stream = null;
    this.version = 0; // the newest that was heard of
    /** @type {any} */
    this.state = null; // the newest that was read
    this.reading = this.sending = this.ended = false;
    this.heard = Date.now();
    const wake = () => this.wake();
    document.addEventListener("visibilitychange", wake);
    window.addEventListener("online", wake);
    window.addEventListener("pageshow", (event) => event.persisted && wake());
    window.addEventListener("offline", () => page.line(false));
    setInterval(() => Date.now() - this.heard > SILENCE && wake(), 5000);
    this.read();
  }

  async ask(path, options = {}) {
    const headers = { Authorization: `Bearer ${remembered().voter || ""}` };
    const answer = await fetch(`${BASE}/${path}`, { cache: "no-store", headers, ...options });
    return { status: answer.status, said: await answer.json().catch(() => ({})) };
  }

  async join() {
    const { status, said } = await this.ask("join", { method: "POST" });
    if (status === 200) remember({ voter: said.voter, pending: null });
    else this.refused(status);
    return status === 200;
  }

  refused(status) {
    if (status === 404) this.end();
    else if (status < 500 && status !== 429) this.page.problem(status);
    else throw new Error(`${status}`); // busy or away: tried again
  }

  end() {
    this.ended = true;
    if (this.stream) this.stream.close();
    clearTimeout(this.due);
    this.page.gone(this.state !== null);
  }

  // The room at the newest version heard of; a phone without a place in it takes one.
  async fetchState() {
    if (!remembered().voter && !(await this.join())) return null;
    const path = () => this.ask(`state?version=${this.version}`);
    let { status, said } = await path();
    if (status === 403) {
      remember({ voter: "" }); // the room of yesterday had the same code
      if (!(await this.join())) return null;
      ({ status, said } = await path());
    }
    if (status === 200) return said;
    this.refused(status);
    return null;
  }

  async read() {
    if (this.reading || this.ended) return;
    this.reading = true;
    try {
      const state = await this.fetchState();
      if (!state) return;
      this.state = state;
      this.page.line(true);
      this.page.state(state);
      this.flush();
      if (!this.stream) this.listen();
      if (this.version > state.version) this.soon(); // it changed while it was read
      this.version = Math.max(this.version, state.version);
    } catch {
      this.page.line(false);
      this.soon(1000);
    } finally {
      this.reading = false;
    }
  }

  // All phones hear of a change at once; they read it over half a second.
  soon(after = 0) {
    clearTimeout(this.due);
    this.due = setTimeout(() => this.read(), after + SPREAD * Math.random());
  }

  listen() {
    this.heard = Date.now();
    const stream = new EventSource(`${BASE}/news?voter=${encodeURIComponent(remembered().voter)}`);
    this.stream = stream;
    stream.onmessage = (event) => {
      this.heard = Date.now();
      this.page.line(true);
      if (event.data === "gone") return this.end();
      const [version, step] = event.data.split(" ").map(Number);
      this.page.step(step);
      this.version = Math.max(this.version, version);
      if (version > this.state.version) this.soon();
    };
    stream.onerror = () => {
      stream.close(); // by our own clock: a browser gives up on a stream that was answered with an error
      if (this.ended || stream !== this.stream) return;
      this.stream = null;
      this.page.line(false);
      this.soon(500);
    };
  }

  // Sends the vote that waits, until the room has taken or refused it.
  async flush() {
    const { pending } = remembered();
    if (!pending || this.sending || this.ended) return;
    if (!this.state.question || this.state.question.number !== pending.question) {
      remember({ pending: null }); // that question is over
      return this.page.vote();
    }
    this.sending = true;
    try {
      const { status, said } = await this.ask("vote", { method: "POST", body: JSON.stringify(pending) });
      if (status === 429 || status >= 500) throw new Error(`${status}`);
      const now = remembered().pending;
      if (now && now.question === pending.question && now.answer === pending.answer)
        remember({ pending: null });
      if (status === 200) this.state.vote = said.vote;
      else this.page.problem(status);
      if (status !== 200) this.soon();
      this.page.line(true);
    } catch {
      this.page.line(false);
      setTimeout(() => this.flush(), 1000 + SPREAD * Math.random());
    } finally {
      this.sending = false;
    }
    this.page.vote();
    const next = remembered().pending;
    if (next && next.answer !== pending.answer) this.flush();
  }

  // A phone that was locked or out of reach reads the room anew when it wakes.
  wake() {
    if (this.ended || document.visibilityState === "hidden") return;
    if (this.stream && Date.now() - this.heard > SILENCE) {
      this.stream.close();
      this.stream = null;
    }
    this.read();
  }

  vote(answer) {
    remember({ pending: { question: this.state.question.number, answer } });
    this.page.vote();
    this.flush();
  }

  // The vote as this phone means it, and whether it still waits to be sent.
  own() {
    const { pending } = remembered();
    const waiting = pending && this.state.question && pending.question === this.state.question.number;
    return { answer: waiting ? pending.answer : this.state.vote, waiting: Boolean(waiting) };
  }

  async picture() {
    return (await this.ask("picture")).said;
  }
}
