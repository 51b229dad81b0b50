// The queue of numbered events that goes to the server until each is acknowledged (app/shell/event_queue.py).

export class EventQueue {
  constructor() {
    this.client = globalThis.crypto?.randomUUID?.() ?? String(Math.random());
    /** @type {[number, object][]} */
    this.events = [];
    this.sent = -1;
    this.setState = null;
  }

  /** Whether an answer is still due. */
  get waiting() {
    return this.events.length > 0;
  }

  /** @param {object} event */
  send(event) {
    this.sent += 1;
    this.events.push([this.sent, event]);
    this.flush();
  }

  /**
   * @param {Record<string, number>} acknowledged  the last number that the server has seen, by client
   * @param {(name: string, value: object) => void} setStateValue  Streamlit's own
   */
  receive(acknowledged, setStateValue) {
    this.setState = setStateValue;
    const seen = acknowledged[this.client] ?? -1;
    this.events = this.events.filter(([number]) => number > seen);
  }

  /** Sends all that is unacknowledged, so that an event sent while the server is busy is not lost. */
  flush() {
    if (this.waiting) this.setState("queue", { client: this.client, events: this.events });
  }
}
