// The figure as numbers: a table for reading and for screen readers, and CSV.
import { h } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { term } from "../shared/terms.js";
import { named, standing } from "./words.js";

const HEAD = ["kind", "method", "settings", "step", "kl", "reward", "below", "win_rate"];

const settingsText = (settings) =>
  Object.entries(settings)
    .map(([key, value]) => `${key}=${value}`)
    .join(";");

const exactRow = ({ beta, kl, reward }) => ["exact", "", `beta=${beta}`, "", kl, reward, 0, ""];
const bestRow = ({ n, kl, reward, below, win_rate }) => [
  "best_of",
  "",
  `n=${n}`,
  "",
  kl,
  reward,
  below,
  win_rate,
];
const runRow = (run, { step, kl, reward, below }) => [
  "run",
  run.method,
  settingsText(run.settings),
  step,
  kl,
  reward,
  below,
  "",
];

const written = (rows) => [HEAD, ...rows].map((row) => row.join(",")).join("\n") + "\n";

/** Every point of the picture: the whole line, best-of-N's curve, each kept step of each run. */
export const pointsCsv = (page, runs) =>
  written([
    ...page.line.map(exactRow),
    ...page.curve.map(bestRow),
    ...runs.flatMap((run) => run.steps.map((_, i) => runRow(run, standing(run, i)))),
  ]);

/** What the table shows: the marked points, and where each run stands at the playhead. */
export const tableCsv = (page, runs, place) =>
  written([
    ...page.marked.map((i) => exactRow(page.line[i])),
    ...page.best.map(bestRow),
    ...runs.map((run) => runRow(run, standing(run, place))),
  ]);

const cell = (value, digits = 4) => h("td", {}, value === "" ? "–" : number(value, digits));

function row(name, { step = "", kl, reward, below = 0, win_rate = "" }, open = null) {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, name),
    h("td", {}, step === "" ? "–" : String(step)),
    cell(kl),
    cell(reward),
    cell(Math.abs(below) < 1e-12 ? 0 : below),
    cell(win_rate),
    h("td", {}, open ?? ""),
  );
}

export function table(app) {
  const body = h("tbody", {});
  const caption = h("caption", { class: "hint" });
  const columns = [
    "what",
    "step",
    term("kl/policy_reference", "KL(π‖π_ref), nats"),
    term("true_reward", "true reward"),
    term("below_frontier", "below the line"),
    term("win_rate", "win rate"),
    h("span", { class: "unseen" }, "open"),
  ];
  const summary = h("summary", {}, "The figure as a table");
  const root = h(
    "details",
    { class: "panel numbers", ontoggle: () => show() },
    summary,
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "group", "aria-label": "Table of the figure" },
      h(
        "table",
        {},
        caption,
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            columns.map((one) => h("th", { scope: "col" }, one)),
          ),
        ),
        body,
      ),
    ),
  );
  const show = () => {
    if (!root.open || !app.page) return;
    const { page } = app;
    caption.textContent = `Runs at step ${app.step}; best-of-N and π* at each β that is swept. Means over prompts.`;
    body.replaceChildren(
      ...page.marked.map((i) => row(`π* at β = ${Number(page.line[i].beta.toPrecision(4))}`, page.line[i])),
      ...page.best.map((mark) => row(`best of ${mark.n}`, mark)),
      ...app.runs.map((run) => {
        const at = standing(run, app.place);
        return row(named(run), at, app.opener(run, at.step, "open"));
      }),
    );
  };
  return { root, update: show };
}
