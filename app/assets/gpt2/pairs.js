// The pairs: who beats whom, their margins as they stand, and a click that flips a label, also mid-run.
import { h } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { term } from "../shared/terms.js";

const SHARES = [1, 0.9, 0.8, 0.7, 0.6, 0.5];
const ROWS = 50; // of a table of thousands

// The table's fixed parts; the rows go into ``body``, which pairs are seen is chosen in ``pager``.
function frame(count, body, pager) {
  const head = [
    h("th", {}, h("span", { class: "unseen" }, "number")),
    h("th", {}, "prompt, chosen and rejected reply"),
    h("th", {}, term("rewards/margins", "margin u")),
    h("th", {}, term("sigma_weight", "σ(−u)")),
    h("th", {}, h("span", { class: "unseen" }, "changes")),
  ];
  return h(
    "section",
    { class: "panel pairs", "aria-label": "Pairs" },
    h("h3", {}, "Pairs ", count),
    h(
      "p",
      { class: "hint" },
      "Flip a label at any time, also while it trains, or say how many of its raters ",
      term("agreement", "agree"),
      ". “Tokens” shows where a pair's implicit reward sits. A margin is as old as the step in which its pair was " +
        "last looked at; after the last step all are measured.",
    ),
    h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, head)), body)),
    pager,
  );
}

function small(label, name, onclick) {
  return h(
    "button",
    { type: "button", class: `small ${label.toLowerCase()}`, "aria-label": name, onclick },
    label,
  );
}

function row(page, i) {
  const prompt = h("span", { class: "prompt-text" });
  const chosen = h("span", { class: "chosen" });
  const rejected = h("span", { class: "rejected" });
  const margin = h("td", { class: "margin" });
  const weight = h("td", {});
  const flip = small("Flip", `Flip pair ${i + 1}`, () => {
    if (page.mine) flip.classList.add("asked");
    page.flip(i);
  });
  const agreement = h(
    "select",
    {
      class: "agreement",
      "aria-label": `Agreement on pair ${i + 1}`,
      title: "How many of the raters agree with the label",
      onchange: () => page.agree(i, Number(agreement.value)),
    },
    SHARES.map((p) => h("option", { value: p }, `${Math.round(100 * p)} %`)),
  );
  const tokens = small("Tokens", `Tokens of pair ${i + 1}`, () => page.watchPair(i));
  const node = h(
    "tr",
    { "data-pair": i },
    h("td", {}, `${i + 1}`),
    h("td", { class: "words" }, prompt, chosen, rejected),
    margin,
    weight,
    h("td", { class: "acts" }, flip, tokens, agreement),
  );
  return { node, prompt, chosen, rejected, margin, weight, flip, agreement, said: "", share: 1, figures: "" };
}

function showWords(r, pair) {
  const said = `${pair.prompt}\n${pair.chosen}\n${pair.rejected}\n${pair.flipped}`;
  if (r.said === said) return;
  r.said = said;
  r.prompt.textContent = pair.prompt;
  r.chosen.textContent = `+ ${pair.chosen}`;
  r.rejected.textContent = `− ${pair.rejected}`;
  r.node.classList.toggle("flipped", Boolean(pair.flipped));
  r.flip.classList.remove("asked");
}

function showShare(r, share) {
  if (r.share === share || document.activeElement === r.agreement) return;
  r.share = share;
  if (![...r.agreement.options].some((o) => Number(o.value) === share))
    r.agreement.append(h("option", { value: share }, `${number(100 * share, 1)} %`));
  r.agreement.value = share;
}

// A margin of an earlier step than the one on screen is paler, and its title says of which.
function showFigures(r, pair, step) {
  const figures = `${number(pair.margin)} ${number(pair.weight)} ${pair.at} ${step}`;
  if (r.figures === figures) return;
  r.figures = figures;
  r.margin.textContent = number(pair.margin);
  r.weight.textContent = number(pair.weight);
  const known = pair.margin !== null && pair.margin !== undefined;
  for (const cell of [r.margin, r.weight]) {
    cell.title = known ? `measured at step ${pair.at}` : "not measured yet";
    cell.classList.toggle("older", known && pair.at !== step);
  }
}

export function pairTable(page) {
  const body = h("tbody", {});
  const count = h("span", { class: "hint" });
  const where = h("span", { class: "hint" });
  const turn = (by) => () => {
    first = Math.max(0, first + by * ROWS);
    page.update();
  };
  const back = h("button", { type: "button", class: "small", onclick: turn(-1) }, "Previous");
  const on = h("button", { type: "button", class: "small", onclick: turn(1) }, "Next");
  const pager = h("p", { class: "pager" }, back, on, where);
  const root = frame(count, body, pager);
  let rows = [];
  let shape = "";
  let first = 0;
  return {
    root,
    update() {
      const pairs = page.pairs();
      if (first >= pairs.length) first = 0;
      const seen = pairs.slice(first, first + ROWS);
      const now = `${page.record?.id ?? "draft"}/${pairs.length}/${first}`;
      if (now !== shape) {
        shape = now;
        rows = seen.map((_, k) => row(page, first + k));
        body.replaceChildren(...rows.map((r) => r.node));
        count.textContent = pairs.length ? `${pairs.length}` : "";
        pager.hidden = pairs.length <= ROWS;
        where.textContent = `${first + 1} to ${first + seen.length} of ${pairs.length}`;
        back.disabled = first === 0;
        on.disabled = first + ROWS >= pairs.length;
      }
      seen.forEach((pair, k) => {
        showWords(rows[k], pair);
        showShare(rows[k], pair.agreement);
        showFigures(rows[k], pair, page.record?.last?.step);
      });
    },
  };
}

// Everything that happened to the run, by step.
export function eventLog(page) {
  const list = h("ol", {});
  const root = h(
    "section",
    { class: "panel log", "aria-label": "Event log" },
    h("h3", {}, "Event log"),
    list,
  );
  let shown = "";
  return {
    root,
    update() {
      const { record } = page;
      const now = `${record?.id}/${record?.log.length}`;
      if (now === shown) return;
      shown = now;
      const entries =
        record?.log.map((entry) =>
          h(
            "li",
            { class: `entry ${entry.kind}`, "data-step": entry.step },
            `step ${entry.step}: ${entry.text}`,
          ),
        ) ?? [];
      list.replaceChildren(
        ...(entries.length
          ? entries
          : [
              h(
                "li",
                { class: "hint" },
                "Nothing yet. Every change made while it trains is written here, with the step from which it is in force.",
              ),
            ]),
      );
      list.scrollTop = list.scrollHeight;
    },
  };
}
