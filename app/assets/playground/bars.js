// Per prompt: a bar for each reply's probability with its reference and optimum ticks, and the pairs as lanes.
import { h } from "../shared/dom.js";
import { percent } from "../shared/format.js";
import { LOOKS } from "./compare.js";
import { labelLanes } from "./label_lanes.js";
import { showLearned, spreadOf } from "./learned_bars.js";
import { lane, showPair } from "./pair_lanes.js";

function reply(run, prompt, k) {
  const fill = h("div", { class: "fill" });
  const marks = {
    others: run.others.map((_, i) => h("i", { class: "mark ghost", style: `--own:var(--${LOOKS[i].ink})` })),
    optimum: h("i", { class: "mark optimum", hidden: true }),
    learned: h("i", { class: "learned", hidden: true }),
  };
  const reference = h("i", {
    class: "mark reference",
    style: `left:${100 * prompt.reference[k]}%`,
    title: `reference ${percent(prompt.reference[k])}`,
  });
  const output = h("output", { class: "share", "data-term": "policy", tabindex: "0" });
  const row = h(
    "div",
    { class: "reply" },
    h("div", { class: "said", dir: "auto", title: prompt.replies[k] }, prompt.replies[k]),
    h("div", { class: "track" }, fill, reference, ...marks.others, marks.optimum, marks.learned),
    output,
  );
  return { row, fill, output, ...marks };
}

// How many rankings and thumbs each prompt has: what the lanes are built for.
const said = ({ segments: [first] }) => [first.rankings.map((r) => r[0]), first.thumbs.map((t) => t[0])];

// One prompt with the bars of its replies and the lanes of its labels.
function promptCard(prompt, p, rows, lanes) {
  lanes.forEach((node, column) => node.style.setProperty("--column", column));
  return h(
    "section",
    { class: "prompt", "aria-label": `Prompt ${p + 1}`, style: `--lanes:${lanes.length}` },
    h(
      "h3",
      { title: prompt.text },
      h("span", { class: "tag" }, `Prompt ${p + 1}`),
      h("bdi", {}, prompt.text),
    ),
    h("div", { class: "replies" }, rows, lanes),
  );
}

function showOptimum(row, share) {
  row.optimum.hidden = share == null;
  if (share == null) return;
  row.optimum.style.left = `${100 * share}%`;
  row.optimum.title = `optimum of the labels ${percent(share)}`;
}

function showPolicy(row, run, k, step) {
  const p = run.at(`policy/${k}`, step);
  row.fill.style.transform = `scaleX(${p})`;
  row.output.textContent = percent(p);
  run.others.forEach((other, i) => {
    const own = other.rows.get(`policy/${k}`);
    row.others[i].hidden = !own; // another world's run may have fewer replies
    if (own) row.others[i].style.left = `${100 * own[Math.min(step, own.length - 1)]}%`;
  });
}

// What the rows and lanes are built for.
const shapeOf = (run) =>
  JSON.stringify([
    run.world,
    run.prompts,
    run.others.length,
    run.segments[0].comparisons.map((c) => c[0]),
    said(run),
  ]);

export function bars(app) {
  const root = h("div", { class: "prompts" });
  let rows = [];
  let lanes = [];
  let shape = "";
  let segment = null;
  let spread = 0; // of the learned rewards
  const labels = labelLanes(app);

  function build(run) {
    rows = [];
    lanes = run.segments[0].comparisons.map((_, i) => lane(app, i));
    labels.build(run);
    const cards = run.prompts.map((prompt, p) => {
      const own = prompt.replies.map((_, k) => reply(run, prompt, k));
      rows.push(...own);
      const mine = lanes.filter((_, i) => run.segments[0].comparisons[i][0] === p).concat(labels.of(p));
      return promptCard(
        prompt,
        p,
        own.map((r) => r.row),
        mine,
      );
    });
    root.replaceChildren(...cards);
  }

  return {
    root,
    update(run) {
      spread = spreadOf(run);
      const now = shapeOf(run);
      if (now !== shape) {
        shape = now;
        build(run);
      }
      segment = null;
    },
    seek(step) {
      const { run } = app;
      const now = run.segmentAt(step);
      if (now !== segment) {
        segment = now;
        now.comparisons.forEach((pair, i) => showPair(lanes[i], run, pair, i));
        rows.forEach((row, k) => showOptimum(row, now.optimum?.[k]));
        labels.show(run, now);
      }
      showLearned(rows, run, spread, step);
      rows.forEach((row, k) => showPolicy(row, run, k, step));
      lanes.forEach((node, i) => node.classList.toggle("selected", app.view.selected === i));
    },
  };
}
