// The picture on the page: what the pointer, a finger or the arrow keys point at, and the card that names it.
import { h } from "../shared/dom.js";
import { lookOf } from "../shared/method_looks.js";
import { Picture, paletteOf } from "./picture.js";
import { described } from "./words.js";

const LABEL =
  "Reward against KL. Up and down arrows go from run to run, Enter opens the run in the Playground at the step shown.";
const REACH = { mouse: 14, pen: 18, touch: 26 }; // pixels

export class Plot {
  constructor(app) {
    this.app = app;
    this.card = h("div", { class: "card", hidden: true });
    this.spoken = h("span", { class: "unseen", role: "status" });
    this.space = h("div", {});
    this.root = h(
      "div",
      { class: "figure", tabindex: "0", role: "group", "aria-label": LABEL },
      this.space,
      this.card,
      this.spoken,
    );
    this.hit = null;
    this.chosen = -1; // the run that the arrow keys are at
    this.dragging = false;
    const on = (type, act) => this.root.addEventListener(type, act);
    on("pointermove", (event) => this.move(event));
    on("pointerdown", (event) => this.press(event));
    on("pointerup", () => this.drop());
    on("pointerleave", () => this.pinned || this.point(null));
    on("click", (event) => this.click(event));
    on("keydown", (event) => this.key(event));
    on("blur", (event) => this.card.contains(event.relatedTarget) || this.point(null));
  }

  update(page) {
    this.point(null);
    this.root.classList.toggle("refused", !page.line);
    if (!page.line) {
      this.picture = null;
      this.space.replaceChildren(h("p", { class: "empty" }, page.refused));
      this.space.style.height = "100%";
      return;
    }
    const dark = this.app.root.classList.contains("dark");
    this.picture = new Picture({
      width: Math.max(this.root.clientWidth, 280),
      height: Math.max(this.root.clientHeight, 240),
      palette: paletteOf(this.app.root),
      look: (name) => lookOf(name, dark),
      label:
        "Reward against KL: the exact frontier, best-of-N, and the methods' runs. The table below has its numbers.",
    });
    this.picture.draw(page, this.app.runs, this.app.view.beta);
    this.space.replaceChildren(this.picture.root);
    this.seek(this.app.place);
  }

  seek(place) {
    this.picture?.seek(place);
    if (this.hit?.run && this.hit.head) this.point(this.headOf(this.hit.run), this.pinned);
  }

  lean(index) {
    this.picture?.tangent(index);
  }

  stress(chosen) {
    this.picture?.stress(chosen);
  }

  at(event) {
    const box = this.root.getBoundingClientRect();
    return [event.clientX - box.left - this.root.clientLeft, event.clientY - box.top - this.root.clientTop];
  }

  find(event) {
    const found = this.picture?.nearest(
      ...this.at(event),
      this.app.place,
      REACH[event.pointerType] ?? REACH.mouse,
    );
    return found ?? null;
  }

  move(event) {
    if (!this.picture || event.target.closest(".card")) return;
    if (this.dragging) {
      this.app.lean(this.picture.onLine(...this.at(event)));
      return;
    }
    if (event.pointerType !== "touch") this.point(this.find(event));
  }

  press(event) {
    if (!event.target.closest(".handle")) return;
    this.dragging = true;
    this.root.setPointerCapture(event.pointerId);
    event.preventDefault();
  }

  drop() {
    if (!this.dragging) return;
    this.dragging = false;
    this.dropped = true; // the click that follows is none
    this.app.keepBeta();
  }

  click(event) {
    if (this.dropped || event.target.closest(".card")) {
      this.dropped = false;
      return;
    }
    const hit = this.find(event);
    if (event.pointerType === "touch") this.point(hit, true);
    else if (hit?.run) this.app.open(hit.run, hit.run.steps[hit.index]);
    else this.point(hit, true);
  }

  /** Shows what is at a point; ``pinned``: with a link that a finger can reach. */
  point(hit, pinned = false) {
    this.hit = hit;
    this.pinned = pinned && Boolean(hit);
    this.root.classList.toggle("at-point", Boolean(hit?.run));
    this.picture?.stress(hit?.run ? (run) => run === hit.run : null);
    this.card.hidden = !hit;
    if (!hit) return;
    const [title, ...rest] = described(hit);
    const link =
      hit.run && pinned ? this.app.opener(hit.run, hit.run.steps[hit.index], "Open in the Playground") : null;
    const hint = hit.run && !pinned ? h("small", { class: "hint" }, "click: open in the Playground") : null;
    this.card.classList.toggle("pinned", this.pinned);
    this.card.replaceChildren(
      h("b", {}, title),
      ...rest.map((line) => h("div", {}, line)),
      ...[link ?? hint].filter(Boolean),
    );
    const { clientWidth: wide, clientHeight: tall } = this.root;
    const { offsetWidth: w, offsetHeight: t } = this.card;
    const left = hit.x + 14 + w < wide ? hit.x + 14 : Math.max(4, hit.x - 14 - w);
    const top = hit.y + 14 + t < tall ? hit.y + 14 : Math.max(4, hit.y - 14 - t);
    this.card.style.left = `${left}px`;
    this.card.style.top = `${top}px`;
  }

  headOf(run) {
    const { xs, ys } = this.picture.drawn.find((one) => one.run === run);
    const index = Math.min(Math.round(this.app.place), xs.length - 1);
    return { x: xs[index], y: ys[index], run, index, head: true };
  }

  key(event) {
    const { runs } = this.app;
    if (!this.picture || event.target !== this.root) return;
    if (event.key === "Escape") this.point(null);
    else if (event.key === "Enter" && this.hit?.run)
      this.app.open(this.hit.run, this.hit.run.steps[this.hit.index]);
    else if (["ArrowUp", "ArrowDown"].includes(event.key) && runs.length) {
      this.chosen = (this.chosen + (event.key === "ArrowDown" ? 1 : -1) + runs.length) % runs.length;
      this.point(this.headOf(runs[this.chosen]), true);
      this.spoken.textContent = described(this.hit).join(", ");
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
