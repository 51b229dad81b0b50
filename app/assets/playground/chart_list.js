// Which plots the Playground shows, and the lines of each.
const LOG2 = Math.log(2); // where every run of Eq. 7 starts
const many = (run, name) => run.segments[0].comparisons.map((_, i) => `${name}/${i}`);
const prompts = (run, name) => (run.prompts.length > 1 ? run.prompts.map((_, i) => `${name}/${i}`) : []);
const of = (selected, mean, one) => (selected == null ? mean : `${one}/${selected}`);

// Each chart: key, title term, faint lines, main lines [column, colour, label], and a level with its name.
export const CHARTS = [
  {
    key: "rewards",
    title: ["rewards/margins", "Implicit reward"],
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
  },
  {
    key: "sigma",
    title: ["sigma_weight", "Sigma weight σ(−u)"],
    from: 0,
    faint: (run) => many(run, "sigma_weight"),
    main: (run, s) => [[`sigma_weight/${s ?? 0}`, "ink", `pair ${(s ?? 0) + 1}`, "sigma_weight"]],
  },
  {
    key: "loss",
    title: ["loss", "Loss"],
    main: () => [["loss", "ink", "L", "loss"]],
    level: () => [LOG2, "log 2"],
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
    main: () => [["true_reward", "optimum", "E[r]", "true_reward"]],
  },
  {
    key: "accuracy",
    title: ["rewards/accuracies", "Accuracy"],
    from: 0,
    only: (run) => !run.rows.has("true_reward"),
    main: () => [["rewards/accuracies", "ink", "share", "rewards/accuracies"]],
  },
];
