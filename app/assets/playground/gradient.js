// The gradient of the selected pair with its numbers: the method's own rule, filled in at the playhead.
import { h, maths } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { term } from "../shared/terms.js";
import { pairName } from "./pair_lanes.js";

const MARGIN = "u = r̂(y_w) − r̂(y_l) = {r_w} − ({r_l}) = **{u}**";
const COLUMNS = {
  h: "log_ratio_margin",
  u: "comparison/margin",
  r_w: "comparison/reward_chosen",
  r_l: "comparison/reward_rejected",
  c_w: "comparison/coefficient_chosen",
  c_l: "comparison/coefficient_rejected",
  label_probability: "comparison/label_probability",
};

/** A rule's line with its {names} filled in by ``value``, as [bold, text] parts. */
export function filled(line, value) {
  const text = line.replace(/\{([^}]+)\}/g, (_, name) => value(name));
  return text.split("**").map((part, i) => [i % 2 === 1, part]);
}

// An arrow whose length, of half the width, is the coefficient's share of the largest so far in this run.
function arrow(kind) {
  const shaft = h("i", {});
  return {
    root: h("span", { class: `pull ${kind}` }, shaft),
    set: (share) => {
      shaft.style.width = `${Math.min(50, 50 * Math.abs(share))}%`;
      shaft.classList.toggle("left", share < 0);
    },
  };
}

const signed = (x) => (x > 0 ? `+${number(x, 4)}` : number(x, 4));

// What the arrows are measured against: β under DPO, whose coefficient it bounds, else the run's largest.
function largest(run, now) {
  if (now.objective.name === "dpo") return now.objective.beta;
  const columns = run.columns.filter((name) => name.startsWith("comparison/coefficient_"));
  return Math.max(
    1e-12,
    ...columns.map((name) => run.rows.get(name).reduce((most, x) => Math.max(most, Math.abs(x) || 0), 0)),
  );
}

// The number behind a name of a rule: a setting, the share that agrees, or a column of this pair.
function valueOf(run, now, pair, i, step) {
  return (name) => {
    if (name === "p") return number(pair[3], 2);
    if (name === "1-p") return number(1 - pair[3], 2);
    if (typeof now.objective[name] === "number") return number(now.objective[name], 2);
    return number(
      run.at(`${COLUMNS[name] ?? name}/${i}`, step),
      name.startsWith("c_") || name.includes("_") ? 4 : 3,
    );
  };
}

export function gradientPanel(app) {
  const title = h("p", { class: "which" });
  const [up, down] = ["chosen", "rejected"].map(arrow);
  const c = [0, 1].map(() => h("output", { "data-term": "coefficient", tabindex: "0" }));
  const lines = h("div", { class: "equations" });
  const root = h(
    "section",
    { class: "panel gradient", "aria-label": "Gradient of the selected pair" },
    h("h3", {}, "Gradient at this step"),
    title,
    h(
      "div",
      { class: "pulls" },
      h("span", { class: "chosen" }, "chosen"),
      up.root,
      h("span", {}, term("coefficient", "c(y_w) = "), c[0]),
      h("span", { class: "rejected" }, "rejected"),
      down.root,
      h("span", {}, term("coefficient", "c(y_l) = "), c[1]),
    ),
    lines,
  );
  const line = (parts) =>
    h("p", {}, parts.map(([bold, text]) => (bold ? h("b", {}, maths(text)) : maths(text))).flat());
  let scale = { run: null, size: 1 };
  return {
    root,
    update(run) {
      scale = { run, size: 0 };
    },
    seek(step) {
      const { run } = app;
      const i = app.view.selected ?? 0;
      const now = run.segmentAt(step);
      const pair = now.comparisons[i];
      root.hidden = !pair;
      if (!pair) return;
      scale.size ||= largest(run, now);
      const size = now.objective.name === "dpo" ? now.objective.beta : scale.size;
      const pulls = [COLUMNS.c_w, COLUMNS.c_l].map((name) => run.at(`${name}/${i}`, step));
      title.textContent = pairName(run, pair, i);
      [up, down].forEach((one, side) => one.set(-pulls[side] / size)); // descent pushes against c
      c.forEach((output, side) => {
        output.textContent = signed(pulls[side]);
      });
      const value = valueOf(run, now, pair, i, step);
      const rule = now.rule[pair[3] === 1 ? 0 : 1];
      const hint =
        `c(y) = ∂L/∂log π(y|x). One step moves the logits by −η/N times the sum over all that is asked for ` +
        `(η = ${now.learning_rate}). The arrows show c as a share of ${now.objective.name === "dpo" ? "β" : "the largest in this run"}.`;
      lines.replaceChildren(
        ...[MARGIN, ...rule].map((text) => line(filled(text, value))),
        h("p", { class: "hint" }, hint),
      );
    },
  };
}
