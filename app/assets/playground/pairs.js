// The pairs in words, with their agreement, margin and pull.
import { h, holding } from "../shared/dom.js";
import { facts } from "../shared/facts.js";
import { number, share, short } from "../shared/format.js";
import { term } from "../shared/terms.js";

const WEIGHT = { column: "sigma_weight", term: "sigma_weight", label: "σ(−u)" };
const PULL = { column: "comparison/coefficient_chosen", term: "coefficient", label: "c(y_w)" };

function table(pullHead, body) {
  const head = h(
    "tr",
    {},
    h("th", {}, "plot"),
    h("th", {}, "who beats whom"),
    h("th", {}, term("agreement", "agreement p")),
    h("th", {}, term("rewards/margins", "margin u")),
    pullHead,
    h("th", {}, h("span", { class: "unseen" }, "flip")),
  );
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, head), body));
}

// The slider of a pair's agreement, with what it stands at.
function agreement(app, i) {
  const slider = h("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.01,
    "aria-label": `Agreement on pair ${i + 1}`,
  });
  const shown = h("output", {});
  const held = holding(slider);
  const send = () => app.intervene("agreement", Number(slider.value), i);
  slider.addEventListener("input", () => {
    shown.textContent = share(Number(slider.value));
    if (!app.view.playing) send();
  });
  slider.addEventListener("change", () => app.view.playing && send());
  return {
    nodes: [slider, shown],
    show(value) {
      if (held() || app.events.waiting) return;
      slider.value = value;
      shown.textContent = share(value);
    },
  };
}

function pairRow(app, i) {
  const pick = h("input", {
    type: "radio",
    name: "dpo-pair",
    "aria-label": `Plot pair ${i + 1}`,
    onchange: () => app.select(i),
  });
  const words = h("td", { class: "words", dir: "auto" });
  const agree = agreement(app, i);
  const margin = h("td", { "data-term": "rewards/margins", "data-label": "margin u", tabindex: "0" });
  const weight = h("td", { tabindex: "0" });
  const flip = h(
    "button",
    { type: "button", class: "small", "aria-label": `Flip pair ${i + 1}`, onclick: () => app.flip(i) },
    "Flip",
  );
  const node = h(
    "tr",
    {},
    h("td", {}, h("label", {}, pick, ` ${i + 1}`)),
    words,
    h("td", { class: "agree" }, agree.nodes),
    margin,
    weight,
    h("td", {}, flip),
  );
  return { node, pick, words, agree, margin, weight, said: "" };
}

function showWords(row, replies, chosen, rejected) {
  const words = `${chosen}/${rejected}`;
  if (row.said === words) return;
  row.said = words;
  row.words.replaceChildren(
    h("span", { class: "chosen" }, `+ ${short(replies[chosen], 40)}`),
    h("span", { class: "rejected" }, `− ${short(replies[rejected], 40)}`),
  );
}

export function pairList(app) {
  const body = h("tbody", {});
  const everyone = h(
    "button",
    { type: "button", class: "small", onclick: () => app.select(null) },
    "Plot the mean of all pairs",
  );
  const pullHead = h("th", {});
  const root = h(
    "section",
    { class: "panel pairs own", "aria-label": "Pairs" },
    h("h3", {}, "Pairs"),
    table(pullHead, body),
    everyone,
  );
  let rows = [];
  let shape = "";
  let pull = null; // the column that tells how hard each pair pulls
  return {
    root,
    update(run) {
      const now = `${run.world}/${run.segments[0].comparisons.length}`;
      if (now === shape) return;
      shape = now;
      rows = run.segments[0].comparisons.map((_, i) => pairRow(app, i));
      body.replaceChildren(...rows.map((r) => r.node));
    },
    seek(step) {
      const { run } = app;
      const now = run.segmentAt(step);
      const weighted = facts.methods[now.objective.name].readings.some((r) => r.key === "sigma_weight");
      if (pull !== (weighted ? WEIGHT : PULL)) {
        pull = weighted ? WEIGHT : PULL;
        pullHead.replaceChildren(term(pull.term, pull.label));
      }
      now.comparisons.forEach(([prompt, chosen, rejected, agreed], i) => {
        const row = rows[i];
        showWords(row, run.prompts[prompt].replies, chosen, rejected);
        row.agree.show(agreed);
        row.margin.textContent = number(run.at(`comparison/margin/${i}`, step));
        row.weight.textContent = number(run.at(`${pull.column}/${i}`, step));
        Object.assign(row.weight.dataset, { term: pull.term, label: pull.label });
        row.pick.checked = app.view.selected === i;
      });
      everyone.hidden = app.view.selected == null;
    },
  };
}
