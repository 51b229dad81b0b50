// The glossary: every symbol and metric with what it is, its shape and unit, its equation and TRL's name.
import { fetchJson, h } from "../shared/dom.js";
import { frame } from "./page.js";
import { written } from "./symbols.js";

const COLUMNS = ["Symbol", "Name", "What it is", "Shape", "Unit", "Paper", "In TRL", "Lessons"];
const dash = (text) => (text && text !== "—" ? text : "–");

const places = (mentioned) =>
  mentioned.flatMap(({ lesson, number, section }, i) => [
    i ? ", " : "",
    h(
      "a",
      { href: `lessons?lesson=${lesson}&at=${section}`, "aria-label": `lesson ${number}` },
      String(number),
    ),
  ]);

function row(key, term, mentioned) {
  return h(
    "tr",
    {
      id: `term-${key}`,
      tabindex: "-1",
      "data-words": `${key} ${Object.values(term).join(" ")}`.toLowerCase(),
    },
    h("td", { class: "symbol", "data-label": COLUMNS[0] }, written(term.symbol)),
    h("th", { scope: "row", "data-label": COLUMNS[1] }, term.label),
    h("td", { "data-label": COLUMNS[2] }, term.definition),
    h("td", { "data-label": COLUMNS[3] }, dash(term.shape)),
    h("td", { "data-label": COLUMNS[4] }, dash(term.unit)),
    h("td", { "data-label": COLUMNS[5] }, dash(term.equation)),
    h("td", { "data-label": COLUMNS[6] }, term.trl ? h("code", {}, term.trl) : "–"),
    h("td", { "data-label": COLUMNS[7] }, mentioned ? places(mentioned) : "–"),
  );
}

// A field that narrows the rows to those with every typed word.
function narrowing(rows) {
  const status = h("p", { class: "hint", role: "status" });
  const filter = h("input", {
    type: "search",
    placeholder: "Narrow the list",
    "aria-label": "Narrow the list",
    oninput: () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const one of rows) {
        one.hidden = !words.every((word) => one.dataset.words.includes(word));
        left += Number(!one.hidden);
      }
      status.textContent = `${left} of ${rows.length} entries`;
    },
  });
  status.textContent = `${rows.length} entries`;
  return h("p", { class: "l-search" }, filter, status);
}

async function build(host, base) {
  const [{ glossary, mentions }, page] = await Promise.all([
    fetchJson(new URL(`${base}index.json`, document.baseURI)),
    frame(host),
  ]);
  const rows = Object.entries(glossary)
    .sort(([, a], [, b]) => a.label.localeCompare(b.label))
    .map(([key, term]) => row(key, term, mentions[key]));
  page.root.append(
    h(
      "div",
      { class: "l-glossary" },
      h("h1", {}, "Glossary"),
      h(
        "p",
        { class: "l-lead" },
        "Every symbol and metric of this site, with its equation in the paper and the name " +
          "that TRL gives it. Shapes: P prompts, R replies, C comparisons, D parameters, T " +
          "steps. All logarithms are natural, so they are in nats.",
      ),
      narrowing(rows),
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            COLUMNS.map((word) => h("th", { scope: "col" }, word)),
          ),
        ),
        h("tbody", {}, rows),
      ),
    ),
  );
  const wanted = new URLSearchParams(location.search).get("term");
  const found = wanted && document.getElementById(`term-${wanted}`);
  if (found) {
    found.classList.add("lit");
    found.scrollIntoView({ block: "center" });
    found.focus({ preventScroll: true });
  }
  document.title = "Glossary · DPO Lab";
  page.root.dataset.ready = "glossary";
  return page;
}

const pages = new WeakMap();

export default function (component) {
  const host = component.parentElement.querySelector(".dpo");
  if (!pages.has(host)) pages.set(host, build(host, component.data.base));
  return () => {
    pages.get(host)?.then((page) => page.stop());
    pages.delete(host);
  };
}
