// The driver's line to the room: opening it, asking, closing, revealing, and reading what came in.

const ROOT = new URL("../../../r", import.meta.url).href;
const KEY = "dpo-lab-driver";
const OPEN = 300; // ms between two looks while votes come in: the server counts at most four times a second
const QUIET = 1000; // ms otherwise

/** The room that a driver's link names, or that this tab drives already. */
function remembered() {
  const linked = location.hash.match(/^#room=([A-Z]+)\.([\w-]+)$/);
  if (linked) {
    sessionStorage.setItem(KEY, JSON.stringify({ code: linked[1], token: linked[2] }));
    history.replaceState(history.state, "", location.pathname + location.search); // not to be shown to a room
  }
  return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
}

export class DriverLink {
  /**
   * @param {(state: any) => void} changed  the room's state, null where there is no room
   * @param {(text: string) => void} say  what went wrong, "" once it goes on
   */
  constructor(changed, say) {
    this.changed = changed;
    this.say = say;
    this.state = null;
    this.room = remembered();
    if (this.room) this.look();
  }

  get address() {
    return `${ROOT}/${this.room.code}`;
  }

  async ask(path, options = {}) {
    const headers = { Authorization: `Bearer ${this.room?.token}` };
    const answer = await fetch(`${ROOT}${path}`, { cache: "no-store", headers, ...options });
    if (answer.ok) return answer;
    const { error } = await answer.json().catch(() => ({ error: `The server answered ${answer.status}.` }));
    if (this.room && (answer.status === 404 || answer.status === 403)) this.forget();
    throw new Error(error);
  }

  async open() {
    try {
      this.room = await (await this.ask("", { method: "POST" })).json();
      sessionStorage.setItem(KEY, JSON.stringify(this.room));
      await this.look();
    } catch (error) {
      this.say(error.message);
    }
  }

  // One thing that the driver does; whether the room took it.
  async do(what, more = {}) {
    try {
      const body = JSON.stringify({ do: what, ...more });
      const answer = await this.ask(`/${this.room.code}/drive`, { method: "POST", body });
      const state = await answer.json();
      this.say("");
      if (what === "end") this.forget();
      else if (state.code) this.show(state);
      return true;
    } catch (error) {
      this.say(error.message);
      return false;
    }
  }

  async text(path) {
    return (await this.ask(`/${this.room.code}/${path}`)).text();
  }

  show(state) {
    if (!this.room) return;
    this.state = state;
    this.changed(state);
  }

  async look() {
    clearTimeout(this.later);
    if (!this.room) return;
    try {
      this.show(await (await this.ask(`/${this.room.code}/driver`)).json());
      if (this.lost) this.say("");
      this.lost = false;
    } catch (error) {
      this.lost = true;
      this.say(error instanceof TypeError ? "No connection to the room: trying again." : error.message);
    }
    clearTimeout(this.later);
    const open = this.state?.questions.some((question) => question.status === "open");
    if (this.room) this.later = setTimeout(() => this.look(), open ? OPEN : QUIET);
  }

  forget() {
    clearTimeout(this.later);
    sessionStorage.removeItem(KEY);
    this.room = this.state = null;
    this.changed(null);
  }
}
