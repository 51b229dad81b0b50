// Per prompt: a bar for each reply's probability with its reference and optimum ticks, and the pairs as lanes.
import { h } from "../shared/dom.js";
import { number, percent, share, short } from "../shared/format.js";
import { term } from "../shared/terms.js";
import { LOOKS, swatch } from "./compare.js";
import { labelLanes } from "./label_lanes.js";

export const pairName = (run, [prompt, chosen, rejected], i, most = 34) => {
  const { replies } = run.prompts[prompt];
  return `Pair ${i + 1}: “${short(replies[chosen], most)}” beats “${short(replies[rejected], most)}”`;
};

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

// A lane joins the two replies of a pair: "+" at the chosen end, "−" at the rejected one. A click flips it.
function lane(app, i) {
  const arrow = h("span", { class: "arrow" });
  const node = h(
    "button",
    { type: "button", class: "lane", "data-pair": i, onclick: () => app.flip(i) },
    h("span", { class: "end top" }),
    arrow,
    h("span", { class: "name" }, String(i + 1)),
    h("span", { class: "end bottom" }),
  );
  return node;
}

// How many rankings and thumbs each prompt has: what the lanes are built for.
const said = ({ segments: [first] }) => [first.rankings.map((r) => r[0]), first.thumbs.map((t) => t[0])];

export function bars(app) {
  const root = h("div", { class: "prompts" });
  let rows = [];
  let lanes = [];
  let shape = "";
  let segment = null;
  let spread = 0; // of the learned rewards of one prompt, the largest at the run's end; 0 where there are none
  const labels = labelLanes(app);

  function build(run) {
    rows = [];
    lanes = run.segments[0].comparisons.map((_, i) => lane(app, i));
    labels.build(run);
    root.replaceChildren(
      ...run.prompts.map((prompt, p) => {
        const own = prompt.replies.map((_, k) => reply(run, prompt, k));
        rows.push(...own);
        const mine = lanes.filter((_, i) => run.segments[0].comparisons[i][0] === p).concat(labels.of(p));
        mine.forEach((node, column) => node.style.setProperty("--column", column));
        return h(
          "section",
          { class: "prompt", "aria-label": `Prompt ${p + 1}`, style: `--lanes:${mine.length}` },
          h(
            "h3",
            { title: prompt.text },
            h("span", { class: "tag" }, `Prompt ${p + 1}`),
            h("bdi", {}, prompt.text),
          ),
          h(
            "div",
            { class: "replies" },
            own.map((r) => r.row),
            mine,
          ),
        );
      }),
    );
  }

  function label(run, now) {
    now.comparisons.forEach(([, chosen, rejected, agreement], i) => {
      const node = lanes[i];
      node.style.setProperty("--first", Math.min(chosen, rejected));
      node.style.setProperty("--span", Math.abs(chosen - rejected));
      node.classList.toggle("up", chosen < rejected);
      node.classList.toggle("soft", agreement < 1);
      const name = `${pairName(run, now.comparisons[i], i, 200)}${agreement < 1 ? ` (${share(agreement)} agree)` : ""}. Click to flip.`;
      node.setAttribute("aria-label", name);
      node.title = name;
    });
    rows.forEach((row, k) => {
      row.optimum.hidden = !now.optimum;
      if (now.optimum) {
        row.optimum.style.left = `${100 * now.optimum[k]}%`;
        row.optimum.title = `optimum of the labels ${percent(now.optimum[k])}`;
      }
    });
  }

  const rewards = (run, p, step) =>
    run.prompts[p].replies.map((_, k) => run.at(`reward_of/${run.starts[p] + k}`, step));

  // A thin bar from the prompt's lowest learned reward: a constant for a whole prompt means nothing.
  function showLearned(run, step) {
    run.prompts.forEach((prompt, p) => {
      const own = spread ? rewards(run, p, step) : [];
      prompt.replies.forEach((_, k) => {
        const bar = rows[run.starts[p] + k].learned;
        bar.hidden = !own.length;
        if (!own.length) return;
        bar.style.width = `${(100 * (own[k] - Math.min(...own))) / spread}%`;
        bar.title = `learned reward ${number(own[k])}`;
      });
    });
  }

  return {
    root,
    update(run) {
      const ends = run.rows.has("reward_of/0") ? run.prompts.map((_, p) => rewards(run, p, run.steps)) : [];
      spread = Math.max(0, ...ends.map((own) => Math.max(...own) - Math.min(...own)));
      const now = JSON.stringify([
        run.world,
        run.prompts,
        run.others.length,
        run.segments[0].comparisons.map((c) => c[0]),
        said(run),
      ]);
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
        label(run, now);
        labels.show(run, now);
      }
      showLearned(run, step);
      rows.forEach((row, k) => {
        const p = run.at(`policy/${k}`, step);
        row.fill.style.transform = `scaleX(${p})`;
        row.output.textContent = percent(p);
        run.others.forEach((other, i) => {
          const own = other.rows.get(`policy/${k}`);
          row.others[i].hidden = !own; // another world's run may have fewer replies
          if (own) row.others[i].style.left = `${100 * own[Math.min(step, own.length - 1)]}%`;
        });
      });
      lanes.forEach((node, i) => node.classList.toggle("selected", app.view.selected === i));
    },
  };
}

export function legend(app) {
  const entry = (kind, ...text) => h("span", { class: `key ${kind}` }, h("i"), ...text);
  const optimum = entry("optimum", term("optimum", "optimum of these labels"));
  const others = h("span", { class: "others" });
  const group = (...keys) => h("span", { class: "others" }, keys);
  const disc = (kind, sign, ...text) => h("span", { class: `key pair ${kind}` }, h("i", {}, sign), ...text);
  const learned = entry("learned", term("learned_reward", "learned reward"));
  const labels = {
    comparisons: group(disc("", "+", "chosen"), disc("rejected", "−", "rejected, click a pair to flip it")),
    rankings: group(disc("", "1", "best of a ", term("ranking", "ranking"), ", click it to reverse it")),
    thumbs: group(
      disc("", "↑", "liked"),
      disc("rejected", "↓", "not liked, click a ", term("thumb", "thumb"), " to turn it"),
    ),
  };
  const root = h(
    "div",
    { class: "legend" },
    entry("policy", term("policy", "policy π")),
    entry("reference", term("reference", "reference")),
    optimum,
    learned,
    others,
    Object.values(labels),
  );
  return {
    root,
    update(run) {
      learned.hidden = !run.rows.has("reward_of/0");
      Object.entries(labels).forEach(([kind, key]) => {
        key.hidden = !run.segments[0][kind].length;
      });
      others.replaceChildren(
        ...run.others.map((other, i) => h("span", { class: "key ghost" }, swatch(LOOKS[i]), other.name)),
      );
    },
    seek(step) {
      optimum.hidden = !app.run.segmentAt(step).optimum;
    },
  };
}
