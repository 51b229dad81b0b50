// The pairs that the policy drew itself and that the step trains on, heaviest first.
import { h } from "../shared/dom.js";
import { percent, short } from "../shared/format.js";
import { term } from "../shared/terms.js";

const MOST = 8;

// Each column of the table: the two replies that it is about, in order, prompt by prompt.
const entries = (run) =>
  run.prompts.flatMap((prompt) =>
    prompt.replies.flatMap((first, i) =>
      prompt.replies.map((second, j) => ({ first, second, same: i === j })),
    ),
  );

export function drawnPairs(app) {
  const body = h("tbody", {});
  const none = h("p", { class: "hint" }, "Nothing has been drawn yet.");
  const head = h("tr", {}, h("th", {}, term("drawn_pair", "drawn, best first")), h("th", {}, "share"));
  const root = h(
    "section",
    { class: "panel pairs drawn", "aria-label": "Drawn pairs", hidden: true },
    h("h3", {}, "Drawn pairs"),
    h("div", { class: "scroll" }, h("table", {}, h("thead", {}, head), body)),
    none,
  );
  let all = [];
  const row = ({ first, second, same }, weight) =>
    h(
      "tr",
      {},
      h(
        "td",
        { class: "words", dir: "auto" },
        h("span", { class: "chosen" }, `+ ${short(first, 40)}`),
        h("span", { class: "rejected" }, same ? "all alike" : `− ${short(second, 40)}`),
      ),
      h("td", {}, percent(weight)),
    );
  return {
    root,
    update(run) {
      all = run.rows.has("drawn/0") ? entries(run) : [];
      root.hidden = !all.length;
    },
    seek(step) {
      if (!all.length) return;
      const found = all
        .map((pair, k) => ({ pair, weight: app.run.at(`drawn/${k}`, step) }))
        .filter(({ weight }) => weight > 0)
        .sort((a, b) => b.weight - a.weight)
        .slice(0, MOST);
      none.hidden = found.length > 0;
      body.replaceChildren(...found.map(({ pair, weight }) => row(pair, weight)));
    },
  };
}
