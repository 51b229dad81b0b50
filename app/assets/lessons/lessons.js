// The lesson pages: a list of lessons, or one lesson. The text comes as files; the server answers questions.
import { fetchJson, h } from "../shared/dom.js";
import { contents } from "./contents.js";
import { lessonView } from "./lesson.js";
import { frame } from "./page.js";
import { Progress } from "./progress.js";
import { searchBox } from "./search.js";
import { Server } from "./server.js";
// Named here only so that the browser fetches the whole page at once, not one import after another.
import "./chart.js";
import "./check.js";
import "./controls.js";
import "./derive.js";
import "./figure.js";
import "./levels.js";
import "./maths.js";
import "./picture.js";
import "./predict.js";
import "./presenter.js";
import "./problem.js";
import "./show.js";
import "./sketch.js";
import "./slide_fit.js";
import "./slide_hands.js";
import "./slides.js";
import "./symbols.js";
import "./vote.js";

class Lessons {
  constructor(host) {
    this.host = host;
    this.server = new Server();
    this.progress = new Progress();
    this.documents = new Map();
    this.ready = null;
  }

  receive(component) {
    this.base = component.data.base;
    this.ready ??= this.build().catch((error) => this.fail(error));
    this.server.receive(component);
  }

  async build() {
    const slug = new URLSearchParams(location.search).get("lesson");
    if (slug) this.load(slug).catch(() => this.documents.delete(slug)); // early; an unknown one is told below
    const [index, page] = await Promise.all([this.load("index"), frame(this.host)]);
    this.index = index;
    this.page = page;
    page.know(index.glossary);
    this.body = h("div", { class: "l-body" });
    this.search = searchBox(this);
    page.root.append(this.search.root, this.body);
    page.root.addEventListener("click", (event) => this.follow(event));
    this.onpop = () => this.route();
    addEventListener("popstate", this.onpop);
    await this.route();
    this.onmenu = (event) => this.home(event);
    document.addEventListener("click", this.onmenu);
  }

  fail(error) {
    this.host.append(
      h(
        "p",
        { role: "alert" },
        "The lessons cannot be read just now. Reload the page; if that does not help, run “python -m lessons”, which names what is wrong.",
      ),
    );
    throw error;
  }

  load(name) {
    if (!this.documents.has(name))
      this.documents.set(
        name,
        fetchJson(new URL(`${this.base}${encodeURIComponent(name)}.json`, document.baseURI)),
      );
    return this.documents.get(name);
  }

  // Links between lessons change the page here, without a new session.
  follow(event) {
    const link = event.target.closest?.("a[data-lesson], a[data-home]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    history.pushState(history.state, "", link.href);
    this.search.close();
    this.route(true);
  }

  // The menu's link to the page one is on changes nothing by itself: here it leads back to the list.
  home(event) {
    const link = event.target.closest?.("[data-testid=stTopNavLink], [data-testid=stSidebarNavLink]");
    if (!link || new URL(link.href).pathname !== location.pathname || !location.search) return;
    history.pushState(history.state, "", link.href);
    this.route(true);
  }

  async route(moved = false) {
    const query = new URLSearchParams(location.search);
    const slug = query.get("lesson");
    const entry = this.index.lessons.find((lesson) => lesson.slug === slug);
    if (entry && this.view?.slug === slug) return this.view.go(query.get("at"), moved);
    const text = entry && (await this.load(slug));
    if (slug !== new URLSearchParams(location.search).get("lesson")) return; // the reader has gone on
    this.view?.stop();
    this.view = entry ? lessonView(this, entry, text) : contents(this, slug);
    this.body.replaceChildren(this.view.root);
    this.page.root.dataset.ready = slug ?? "contents";
    this.view.shown(query, moved);
  }

  stop() {
    removeEventListener("popstate", this.onpop);
    document.removeEventListener("click", this.onmenu);
    this.view?.stop();
    this.page?.stop();
  }
}

const apps = new WeakMap();

export default function (component) {
  const host = component.parentElement.querySelector(".dpo");
  if (!apps.has(host)) apps.set(host, new Lessons(host));
  const app = apps.get(host);
  app.receive(component);
  return () => {
    app.stop();
    apps.delete(host);
  };
}
