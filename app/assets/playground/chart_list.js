// Which plots the Playground shows, and the lines of each.
import { facts } from "../shared/facts.js";

const many = (run, name) => run.segments[0].comparisons.map((_, i) => `${name}/${i}`);
const prompts = (run, name) => (run.prompts.length > 1 ? run.prompts.map((_, i) => `${name}/${i}`) : []);
const of = (selected, mean, one) => (selected == null ? mean : `${one}/${selected}`);
const count = (n) => (n > 1 ? `mean of ${n}` : "");
const pairs = (run, s) => (s == null ? count(run.segments[0].comparisons.length) : `pair ${s + 1}`);
const worlds = (run) => (run.prompts.length > 1 ? `${count(run.prompts.length)} prompts` : "");

const methods = (run) => [...new Set(run.segments.map((segment) => segment.acting))];
const reads = (run, key) =>
  methods(run).some((name) => facts.methods[name].readings.some((r) => r.key === key));

// A chart for what a method reads besides the usual numbers, shown where it is in force at some time.
const reading = ({ key, label, symbol, zero }) => ({
  key: key === "sigma_weight" ? "sigma" : key,
  title: [key, key === "sigma_weight" ? "Sigma weight σ(−u)" : `${label[0].toUpperCase()}${label.slice(1)}`],
  from: zero ? 0 : undefined,
  only: (run) => reads(run, key) && run.rows.has(`${key}/0`),
  faint: (run) => many(run, key),
  scope: pairs,
  main: (run, s) => [[of(s, key, key), "ink", symbol.length < 4 ? symbol : "", key]],
  level: (run, step) => run.segmentAt(step).levels[key],
});

// Where no method reads anything of its own: how hard it pulls.
const PULL = {
  key: "pull",
  title: ["coefficient", "Coefficient c"],
  only: (run) => !methods(run).some((name) => facts.methods[name].readings.length),
  scope: pairs,
  main: (run, s) => [
    [
      of(s, "comparison/coefficient_chosen", "comparison/coefficient_chosen"),
      "chosen",
      "chosen",
      "coefficient",
    ],
    [
      of(s, "comparison/coefficient_rejected", "comparison/coefficient_rejected"),
      "rejected",
      "rejected",
      "coefficient",
    ],
  ],
};

const readings = () => {
  const all = Object.values(facts.methods).flatMap((method) => method.readings);
  return [...new Map(all.map((r) => [r.key, r])).values()].map(reading);
};

// Each chart: key, title term, what its numbers are of (a pair, or a mean), faint lines, main lines
// [column, colour, label, term], and a level [value, name] to draw.
const OF_PAIRS = [
  {
    key: "rewards",
    title: ["implicit_reward", "Implicit reward"],
    scope: pairs,
    main: (run, s) => [
      [of(s, "rewards/chosen", "comparison/reward_chosen"), "chosen", "chosen", "rewards/chosen"],
      [of(s, "rewards/rejected", "comparison/reward_rejected"), "rejected", "rejected", "rewards/rejected"],
    ],
  },
  {
    key: "margin",
    title: ["rewards/margins", "Margin u"],
    scope: pairs,
    faint: (run) => many(run, "comparison/margin"),
    main: (run, s) => [[of(s, "rewards/margins", "comparison/margin"), "ink", "u", "rewards/margins"]],
    level: (run, step) => run.segmentAt(step).levels["rewards/margins"],
  },
];

const OF_RUNS = [
  {
    key: "loss",
    title: ["loss", "Loss"],
    scope: (run) => pairs(run, null),
    main: () => [["loss", "ink", "L", "loss"]],
    level: (run, step) => run.segmentAt(step).levels.loss,
  },
  {
    key: "kl",
    title: ["kl/policy_reference", "KL(π‖π_ref)"],
    from: 0,
    faint: (run) => prompts(run, "kl/policy_reference"),
    scope: worlds,
    main: () => [["kl/policy_reference", "policy", "", "kl/policy_reference"]],
    level: (run) => [run.ceiling, "ceiling"],
  },
  {
    key: "reverse",
    title: ["kl/reference_policy", "KL(π_ref‖π)"],
    from: 0,
    faint: (run) => prompts(run, "kl/reference_policy"),
    scope: worlds,
    main: () => [["kl/reference_policy", "reference", "", "kl/reference_policy"]],
  },
  {
    key: "entropy",
    title: ["entropy", "Entropy, top prob."],
    scope: worlds,
    from: 0,
    main: () => [
      ["entropy", "reference", "H", "entropy"],
      ["top_probability", "policy", "max π", "top_probability"],
    ],
  },
  {
    key: "logps",
    title: ["logps/chosen", "Log-prob"],
    scope: (run) => pairs(run, null),
    main: () => [
      ["logps/chosen", "chosen", "chosen", "logps/chosen"],
      ["logps/rejected", "rejected", "rejected", "logps/rejected"],
    ],
  },
  {
    key: "reward",
    title: ["true_reward", "True reward"],
    scope: worlds,
    only: (run) => run.rows.has("true_reward"),
    faint: (run) => prompts(run, "true_reward"),
    main: (run) => [
      ["true_reward", "optimum", "E[r]", "true_reward"],
      ...(run.rows.has("learned_reward") ? [["learned_reward", "other-3", "learned", "learned_reward"]] : []),
    ],
  },
  {
    key: "accuracy",
    title: ["rewards/accuracies", "Accuracy"],
    scope: (run) => pairs(run, null),
    from: 0,
    only: (run) => !run.rows.has("true_reward"),
    main: () => [["rewards/accuracies", "ink", "share", "rewards/accuracies"]],
  },
];

export const chartList = () => [...OF_PAIRS, ...readings(), PULL, ...OF_RUNS];
