// Lecture mode: the lesson's own nodes on a 16:9 stage, one step per key press. Panels stay live.
import { h } from "../shared/dom.js";
import { html } from "./contents.js";
import { presenter } from "./presenter.js";

const WIDE = 1280;
const HIGH = 720;
const SMALLEST = 0.58; // a unit that is too tall for a slide is set smaller, down to this

// The unit of a slide: a paragraph, a panel, or a check with the paragraphs beside it.
const unitsOf = (section) => [...section.children].filter((node) => node.tagName !== "H2");

// Fill pages greedily by measured height; a heading (###) stays with what follows it.
function paginate(page, units, room) {
  const pages = [];
  let current = [];
  const fits = () => page.scrollHeight <= room + 1;
  for (const unit of units) {
    page.append(unit);
    const joined = unit.classList.contains("l-showline"); // a link stays with what it is about
    if (!fits() && current.length && !joined) {
      const carried =
        current.at(-1).querySelector?.(":scope > h3") && current.length > 1 ? [current.pop()] : [];
      pages.push(current);
      current = [...carried, unit];
      page.replaceChildren(...current);
    } else current.push(unit);
  }
  if (current.length || !pages.length) pages.push(current);
  return pages;
}

// The largest type at which the page fits.
function shrink(page, room) {
  for (let size = 1; size >= SMALLEST; size -= 0.04) {
    page.style.fontSize = `${size}em`;
    if (page.scrollHeight <= room + 1) return;
  }
}

export function lecture(app, entry, text, sections, start, closed) {
  const homes = sections.map((section) => ({ section, units: unitsOf(section) }));
  const heading = h("div", { class: "s-head" });
  const page = h("div", { class: "s-page" });
  const foot = h("div", { class: "s-foot" });
  const where = h("span", {});
  const stage = h("div", { class: "s-stage" }, heading, page, foot);
  const dialog = h("dialog", { class: "s-lecture", "aria-label": `Lecture: ${entry.title}` }, stage);
  const dock = h("div", { class: "s-hidden" });
  app.page.root.append(dialog);
  let slides = [];
  let at = 0;
  let stopped = false;

  const button = (label, words, action) =>
    h(
      "button",
      { type: "button", "aria-label": /\w/.test(label) ? null : words, title: words, onclick: action },
      label,
    );
  const talk = presenter(app, () => {
    const one = slides[at];
    return {
      section: text.sections[one.section],
      next: slides[at + 1] && text.sections[slides[at + 1].section],
      at,
      total: slides.length,
    };
  });
  foot.append(
    h("span", { class: "s-title" }, document.title.replace(" · DPO Lab", "")),
    talk.clock,
    h(
      "span",
      { class: "s-buttons" },
      button("◂", "Back (←)", back),
      button("▸", "Next (→ or space)", next),
      button("Notes", "Speaker notes on this screen (N)", () => talk.toggle()),
      button("Presenter", "Notes and timer in their own window (P)", () => talk.open(act)),
      button("✕", "End the lecture (Esc)", () => dialog.close()),
    ),
    where,
  );
  dialog.append(talk.notes);

  function build() {
    const room = page.clientHeight;
    page.style.fontSize = "";
    slides = homes.flatMap(({ units }, section) => {
      heading.replaceChildren(title(section, 0, 1));
      page.replaceChildren();
      return paginate(page, units, room).map((some, part, all) => ({
        section,
        part,
        parts: all.length,
        units: some,
      }));
    });
    dock.replaceChildren(...homes.flatMap(({ units }) => units));
  }

  function title(section, part, parts) {
    const data = text.sections[section];
    return html("h2", {}, `${data.html}${parts > 1 ? ` <small>${part + 1}/${parts}</small>` : ""}`);
  }

  function go(to, last = false) {
    const slide = slides[(at = Math.min(slides.length - 1, Math.max(0, to)))];
    dock.append(...page.childNodes);
    heading.replaceChildren(title(slide.section, slide.part, slide.parts));
    page.replaceChildren(...slide.units);
    page.scrollTop = 0;
    page.classList.toggle("s-only", slide.units.length === 1);
    shrink(page, page.clientHeight);
    if (!last) slide.units.forEach((unit) => unit.stepper?.back && rewind(unit));
    where.textContent = `${at + 1} / ${slides.length}`;
    dialog.dataset.slide = String(at + 1);
    const address = new URL(location.href);
    address.searchParams.set("slide", slide.section + 1);
    history.replaceState(history.state, "", address);
    app.progress.read(entry.slug, text.sections[slide.section].slug);
    talk.update();
  }

  const rewind = (unit) => {
    if (unit.classList.contains("l-derive")) while (unit.stepper.back());
  };
  const steppers = () => slides[at].units.map((unit) => unit.stepper).filter(Boolean);
  function next() {
    if (!steppers().some((s) => s.next()) && at < slides.length - 1) go(at + 1);
    fit();
  }
  function back() {
    if (![...steppers()].reverse().some((s) => s.back()) && at > 0) go(at - 1, true);
    fit();
  }
  // An answer that has just been revealed may need smaller type, or scrolls to its end.
  function fit() {
    shrink(page, page.clientHeight);
    const open = page.querySelector(".l-answer:not([hidden])");
    if (open && page.scrollHeight > page.clientHeight + 1) open.scrollIntoView({ block: "nearest" });
  }

  const acts = {
    ArrowRight: next,
    ArrowDown: next,
    PageDown: next,
    " ": next,
    Enter: next,
    ArrowLeft: back,
    ArrowUp: back,
    PageUp: back,
    Backspace: back,
    Home: () => go(0),
    End: () => go(slides.length - 1),
    n: () => talk.toggle(),
    p: () => talk.open(act),
    t: () => talk.pause(),
    r: () => talk.reset(),
    f: () => (document.fullscreenElement ? document.exitFullscreen() : full()),
  };
  function act(key) {
    const action = acts[key.length === 1 ? key.toLowerCase() : key];
    action?.();
    return Boolean(action);
  }

  // A control that has the focus keeps the keys that it needs; PageUp and PageDown (remotes) always turn.
  function key(event) {
    event.stopPropagation(); // the page below has its own keys
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    const typing =
      target.matches("input, select, textarea, [role=slider], [role=tab]") && !/^Page/.test(event.key);
    const pressing = target.matches("button, a, summary") && (event.key === " " || event.key === "Enter");
    if (event.key === "Escape" && target.matches("input, select")) {
      event.preventDefault();
      dialog.focus();
      return;
    }
    if (typing || pressing) return;
    if (act(event.key)) event.preventDefault();
  }
  dialog.addEventListener("keydown", key);

  const scale = () =>
    stage.style.setProperty(
      "--s-scale",
      String(
        Math.min((dialog.clientWidth || innerWidth) / WIDE, (dialog.clientHeight || innerHeight) / HIGH),
      ),
    );
  addEventListener("resize", scale);
  scale();

  const full = () => document.documentElement.requestFullscreen?.().catch(() => {});
  async function open() {
    await full(); // before the dialog, which must lie above the page in full screen
    if (stopped) return;
    dialog.showModal();
    dialog.tabIndex = -1;
    scale();
    await document.fonts.ready;
    build();
    go(
      Math.max(
        0,
        slides.findIndex((slide) => slide.section >= start),
      ),
    );
    dialog.focus();
    dialog.dataset.ready = "true";
  }

  // Back to the page: every node to where it came from.
  dialog.addEventListener("close", () => {
    stopped = true;
    removeEventListener("resize", scale);
    talk.close();
    const section = slides[at]?.section ?? start;
    homes.forEach(({ section: home, units }) => home.append(...units));
    dialog.remove();
    if (document.fullscreenElement) document.exitFullscreen();
    const address = new URL(location.href);
    address.searchParams.delete("slide");
    history.replaceState(history.state, "", address);
    sections[section].scrollIntoView();
    closed();
  });
  open();
  return {
    stop() {
      if (dialog.open) dialog.close();
      else {
        stopped = true;
        dialog.remove();
      }
    },
  };
}
