// Lecture mode: the lesson's own nodes on a 16:9 stage, one step per key press or tap. Panels stay live.
import { h } from "../shared/dom.js";
import { html } from "./contents.js";
import { presenter } from "./presenter.js";
import { borrowed, exceeds, fit, paginate, unitsOf } from "./slide_fit.js";
import { fullScreen, hands } from "./slide_hands.js";

const WIDE = 1280;
const HIGH = 720;
const COMPACT = "(max-width: 700px), (max-height: 500px)"; // a phone: slides of its own size, which may scroll

class Lecture {
  constructor(app, entry, text, sections, closed) {
    this.app = app;
    this.entry = entry;
    this.text = text;
    this.sections = sections;
    this.closed = closed;
    this.units = sections.map(() => null); // what each section's slides are made of, cut once the stage is there
    this.slides = [];
    this.at = 0;
    this.giveBack = borrowed(sections);
    this.compact = matchMedia(COMPACT);
    this.talk = presenter(app, () => this.current());
    this.heading = h("div", { class: "s-head" });
    this.page = h("div", { class: "s-page" });
    this.where = h("span", { class: "s-where" });
    this.stage = h("div", { class: "s-stage" }, this.heading, this.page, this.foot());
    this.dock = h("div", { class: "s-hidden" });
    this.dialog = h(
      "dialog",
      { class: "s-lecture", "aria-label": `Lecture: ${entry.title}` },
      this.stage,
      this.talk.notes,
    );
    this.act = hands(this);
    app.page.root.append(this.dialog);
    this.dialog.addEventListener("close", () => this.ended());
    this.resized = () => this.scale();
    addEventListener("resize", this.resized);
  }

  foot() {
    const button = (kind, label, words, action) =>
      h(
        "button",
        {
          type: "button",
          class: kind,
          "aria-label": /\w/.test(label) ? null : words,
          title: words,
          onclick: action,
        },
        label,
      );
    return h(
      "div",
      { class: "s-foot" },
      h("span", { class: "s-title" }, document.title.replace(" · DPO Lab", "")),
      this.talk.clock,
      h(
        "span",
        { class: "s-buttons" },
        button("s-back", "←", "Back (←)", () => this.back()),
        button("s-next", "→", "Next (→ or space)", () => this.next()),
        button("s-aloud", "Notes", "Speaker notes on this screen (N)", () => this.talk.toggle()),
        button("s-window", "Presenter", "Notes and timer in their own window (P)", () =>
          this.talk.open(this.act),
        ),
        button("s-end", "✕", "End the lecture (Esc)", () => this.dialog.close()),
      ),
      this.where,
    );
  }

  current() {
    const { slides, at, text } = this;
    const then = slides[at + 1];
    return {
      section: text.sections[slides[at].section],
      next: then && text.sections[then.section],
      at,
      total: slides.length,
    };
  }

  async open(start) {
    await fullScreen(); // before the dialog, which must lie above the page in full screen
    if (this.stopped) return;
    this.dialog.showModal();
    this.dialog.tabIndex = -1;
    await document.fonts.ready;
    this.scale();
    this.build(start);
    this.dialog.focus();
    this.dialog.dataset.ready = "true";
  }

  scale() {
    const { dialog, stage, compact } = this;
    const wide = dialog.clientWidth || innerWidth;
    const high = dialog.clientHeight || innerHeight;
    stage.style.setProperty("--s-scale", String(Math.min(wide / WIDE, high / HIGH)));
    const turned = this.slides.length && (compact.matches || dialog.classList.contains("s-compact"));
    dialog.classList.toggle("s-compact", compact.matches);
    dialog.classList.toggle("s-wide", !compact.matches);
    if (turned) this.build(this.slides[this.at].section);
  }

  // Cuts all sections into slides and shows the first one of the section ``start``.
  build(start) {
    this.dock.append(...this.page.childNodes);
    this.slides = this.sections.flatMap((_, section) => {
      this.heading.replaceChildren(this.title({ section, part: 0, parts: 1 }));
      this.units[section] ??= unitsOf(this.sections[section], this.page);
      return paginate(this.page, this.units[section]).map((some, part, all) => ({
        section,
        part,
        parts: all.length,
        units: some,
      }));
    });
    this.dock.replaceChildren(...this.units.flat());
    this.go(
      Math.max(
        0,
        this.slides.findIndex((slide) => slide.section >= start),
      ),
    );
  }

  title({ section, part, parts }) {
    const count = parts > 1 ? ` <small>${part + 1}/${parts}</small>` : "";
    return html("h2", {}, `${this.text.sections[section].html}${count}`);
  }

  go(to, backwards = false) {
    const { page, slides, entry, text } = this;
    this.at = Math.min(slides.length - 1, Math.max(0, to));
    const slide = slides[this.at];
    this.dock.append(...page.childNodes);
    this.heading.replaceChildren(this.title(slide));
    page.replaceChildren(...slide.units);
    page.scrollTop = 0;
    fit(page);
    if (!backwards) for (const unit of slide.units) while (unit.matches(".l-derive") && unit.stepper.back());
    if (!backwards) slide.units.forEach((unit) => unit.replay?.());
    this.where.textContent = `${this.at + 1} / ${slides.length}`;
    this.dialog.dataset.slide = String(this.at + 1);
    const address = new URL(location.href);
    address.searchParams.set("slide", String(slide.section + 1));
    history.replaceState(history.state, "", address);
    this.app.progress.read(entry.slug, text.sections[slide.section].slug);
    this.talk.update();
  }

  steppers() {
    return this.slides[this.at].units.map((unit) => unit.stepper).filter(Boolean);
  }

  next() {
    if (this.steppers().some((one) => one.next())) this.refit();
    else if (this.at < this.slides.length - 1) this.go(this.at + 1);
  }

  back() {
    if (
      this.steppers()
        .toReversed()
        .some((one) => one.back())
    )
      this.refit();
    else if (this.at > 0) this.go(this.at - 1, true);
  }

  // An answer that has just been revealed may need smaller type; a phone scrolls to it.
  refit() {
    fit(this.page);
    if (exceeds(this.page))
      this.page.querySelector(".l-answer:not([hidden])")?.scrollIntoView({ block: "nearest" });
  }

  // Back to the page: every node to where it came from.
  ended() {
    this.stopped = true;
    removeEventListener("resize", this.resized);
    this.talk.close();
    const section = this.slides[this.at]?.section ?? 0;
    this.giveBack();
    this.dialog.remove();
    if (document.fullscreenElement) document.exitFullscreen();
    const address = new URL(location.href);
    address.searchParams.delete("slide");
    history.replaceState(history.state, "", address);
    this.sections[section].scrollIntoView();
    this.closed();
  }

  stop() {
    if (this.dialog.open) return this.dialog.close();
    this.stopped = true;
    removeEventListener("resize", this.resized);
    this.dialog.remove();
  }
}

export function lecture(app, entry, text, sections, start, closed) {
  const show = new Lecture(app, entry, text, sections, closed);
  show.open(start);
  return show;
}
