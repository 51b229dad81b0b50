// Asks for the trails that are missing and reads them as they come: one line of JSON for each method.

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    yield* parts.map((part) => JSON.parse(part));
  }
}

export class Sweeps {
  /** @param {() => void} changed  called whenever there is more to show */
  constructor(changed) {
    this.changed = changed;
    this.key = "";
    /** @type {Map<string, any[]>} */
    this.trails = new Map();
    this.stopped = false; // by the visitor
    this.failure = "";
    /** @type {AbortController | null} */
    this.running = null;
  }

  /** What is to be on screen. Another world or other settings end the present sweep and begin another. */
  want(page) {
    this.page = page;
    const key = JSON.stringify([page.opened, page.steps, page.betas]);
    if (key !== this.key) {
      this.key = key;
      this.cancel();
      this.trails = new Map();
      this.stopped = false;
    }
    if (!this.running && !this.stopped) this.start();
  }

  get missing() {
    return this.page.refused ? [] : this.page.on.filter((name) => !this.trails.has(name));
  }

  async start() {
    const { missing, page, key } = this;
    this.stopped = false;
    this.failure = "";
    if (!missing.length) return;
    const mine = new AbortController();
    this.running = mine;
    try {
      const url = new URL(`lab-sweep?methods=${missing}`, document.baseURI);
      const answer = await fetch(url, { method: "POST", body: page.link, signal: mine.signal });
      if (!answer.ok) throw new Error((await answer.json()).error);
      for await (const found of lines(answer.body)) {
        if (this.key !== key || this.running !== mine) return;
        if (found.error) throw new Error(found.error);
        this.trails.set(
          found.method,
          found.runs.map((run) => ({ ...run, total: page.steps })),
        );
        this.changed();
      }
      if (missing.some((name) => !this.trails.has(name)))
        throw new Error("The server ended the sweep early.");
    } catch (error) {
      if (mine.signal.aborted) return;
      this.failure = error instanceof TypeError ? "The server does not answer." : error.message;
      this.stopped = true;
    } finally {
      if (this.running === mine) this.running = null;
    }
    this.changed();
    if (!this.stopped && this.missing.length) this.start(); // switched on meanwhile
  }

  cancel() {
    this.running?.abort();
    this.running = null;
  }

  stop() {
    this.cancel();
    this.stopped = true;
    this.changed();
  }
}
