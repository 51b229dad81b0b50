// Questions to the server. Each has a name; only the latest of each name matters, so a drag never queues up.
const RETRY = 4000;

export class Server {
  constructor() {
    this.client = Math.random().toString(36).slice(2);
    this.n = 0;
    this.waiting = new Map();
    this.flight = null;
  }

  // ``done`` gets the answer; a later question of the same name replaces one that has not been sent.
  ask(name, question, done) {
    this.waiting.set(name, { question, done });
    this.pump();
  }

  pump() {
    if (this.flight || !this.waiting.size || !this.setState) return;
    this.flight = { n: ++this.n, asked: this.waiting };
    this.waiting = new Map();
    const asks = Object.fromEntries([...this.flight.asked].map(([name, { question }]) => [name, question]));
    this.setState("ask", { client: this.client, n: this.n, asks });
    this.timer = setTimeout(() => this.again(), RETRY);
  }

  receive(component) {
    this.setState = component.setStateValue;
    const answer = component.data.answer;
    if (this.flight && answer?.client === this.client && answer.n === this.flight.n) {
      clearTimeout(this.timer);
      const { asked } = this.flight;
      this.flight = null;
      for (const [name, { done }] of asked) if (answer.answers[name]) done(answer.answers[name]);
    }
    this.pump();
  }

  again() {
    const { asked } = this.flight;
    this.waiting = new Map([...asked, ...this.waiting]);
    this.flight = null;
    this.pump();
  }
}
