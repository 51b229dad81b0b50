// Which plots the Playground shows, and the lines of each.
import { facts } from "../shared/facts.js";

const many = (run, name) => run.segments[0].comparisons.map((_, i) => `${name}/${i}`);
const prompts = (run, name) => (run.prompts.length > 1 ? run.prompts.map((_, i) => `${name}/${i}`) : []);
const of = (selected, mean, one) => (selected == null ? mean : `${one}/${selected}`);

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
  main: (run, s) => [
    [`${key}/${s ?? 0}`, "ink", `${symbol.length < 4 ? `${symbol}, ` : ""}pair ${(s ?? 0) + 1}`, key],
  ],
  level: (run, step) => run.segmentAt(step).levels[key],
});

// Where no method reads anything of its own: how hard it pulls.
const PULL = {
  key: "pull",
  title: ["coefficient", "Coefficient c"],
  only: (run) => !methods(run).some((name) => facts.methods[name].readings.length),
  main: (run, s) => [
    [`comparison/coefficient_chosen/${s ?? 0}`, "chosen", `pair ${(s ?? 0) + 1}`, "coefficient"],
    [`comparison/coefficient_rejected/${s ?? 0}`, "rejected", "", "coefficient"],
  ],
};

const readings = () => {
  const all = Object.values(facts.methods).flatMap((method) => method.readings);
  return [...new Map(all.map((r) => [r.key, r])).values()].map(reading);
};

// Each chart: key, title term, faint lines, main lines [column, colour, label], and a level [value, name] to draw.
const OF_PAIRS = [
  {
    key: "rewards",
    title: ["implicit_reward", "Implicit reward"],
    main: (run, s) => [
      [of(s, "rewards/chosen", "comparison/reward_chosen"), "chosen", "chosen", "rewards/chosen"],
      [of(s, "rewards/rejected", "comparison/reward_rejected"), "rejected", "rejected", "rewards/rejected"],
    ],
  },
  {
    key: "margin",
    title: ["rewards/margins", "Margin u"],
    faint: (run) => many(run, "comparison/margin"),
    main: (run, s) => [[of(s, "rewards/margins", "comparison/margin"), "ink", "u", "rewards/margins"]],
    level: (run, step) => run.segmentAt(step).levels["rewards/margins"],
  },
];

const OF_RUNS = [
  {
    key: "loss",
    title: ["loss", "Loss"],
    main: () => [["loss", "ink", "L", "loss"]],
    level: (run, step) => run.segmentAt(step).levels.loss,
  },
  {
    key: "kl",
    title: ["kl/policy_reference", "KL(π‖π_ref)"],
    from: 0,
    faint: (run) => prompts(run, "kl/policy_reference"),
    main: () => [["kl/policy_reference", "policy", "mean", "kl/policy_reference"]],
    level: (run) => [run.ceiling, "ceiling"],
  },
  {
    key: "reverse",
    title: ["kl/reference_policy", "KL(π_ref‖π)"],
    from: 0,
    faint: (run) => prompts(run, "kl/reference_policy"),
    main: () => [["kl/reference_policy", "reference", "mean", "kl/reference_policy"]],
  },
  {
    key: "entropy",
    title: ["entropy", "Entropy, top prob."],
    from: 0,
    main: () => [
      ["entropy", "reference", "H", "entropy"],
      ["top_probability", "policy", "max π", "top_probability"],
    ],
  },
  {
    key: "logps",
    title: ["logps/chosen", "Log-prob"],
    main: () => [
      ["logps/chosen", "chosen", "chosen", "logps/chosen"],
      ["logps/rejected", "rejected", "rejected", "logps/rejected"],
    ],
  },
  {
    key: "reward",
    title: ["true_reward", "True reward"],
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
    from: 0,
    only: (run) => !run.rows.has("true_reward"),
    main: () => [["rewards/accuracies", "ink", "share", "rewards/accuracies"]],
  },
];

export const chartList = () => [...OF_PAIRS, ...readings(), PULL, ...OF_RUNS];
