// Which plots a run shows, and the lines of each.

// Lines: [column or field, colour, label, term]; ``measured`` ones come from fresh samples, every so many steps. The
// others are means over the step's batch, drawn thin; their ``eval_`` namesakes over fixed pairs are drawn bold.
export const CHARTS = [
  {
    key: "rewards",
    hint: "β·log(π/π_ref) of both replies: they start at 0.",
    title: ["rewards/margins", "Implicit reward r̂"],
    lines: [
      ["rewards/chosen", "chosen", "chosen"],
      ["rewards/rejected", "rejected", "rejected"],
    ],
  },
  {
    key: "margin",
    hint: "Chosen minus rejected, and the loss: log 2 at first.",
    title: ["rewards/margins", "Margin, loss"],
    lines: [
      ["rewards/margins", "ink", "u"],
      ["loss", "optimum", "L"],
    ],
  },
  {
    key: "accuracy",
    hint: "Share of pairs told apart, and how much gradient is left.",
    title: ["rewards/accuracies", "Accuracy, σ weight"],
    unit: true,
    lines: [
      ["rewards/accuracies", "ink", "acc"],
      ["sigma_weight", "optimum", "σ(−u)"],
    ],
  },
  {
    key: "logps",
    hint: "Watch the chosen reply: it can become less likely too.",
    title: ["logps/chosen", "Log-prob"],
    lines: [
      ["logps/chosen", "chosen", "chosen"],
      ["logps/rejected", "rejected", "rejected"],
    ],
  },
  {
    key: "kl",
    hint: "How far the model goes from its reference, with its standard error.",
    title: ["sampled_kl", "KL"],
    from: 0,
    measured: true,
    band: "kl_se",
    lines: [
      ["kl", "policy", "π‖π_ref", "sampled_kl"],
      ["kl_reverse", "reference", "π_ref‖π", "sampled_kl_reverse"],
    ],
  },
  {
    key: "sentiment",
    hint: "What these labels are meant to raise, known exactly.",
    title: ["true_sentiment", "True sentiment"],
    measured: true,
    band: "sentiment_se",
    lines: [["sentiment", "policy", "mean", "true_sentiment"]],
  },
  {
    key: "parse",
    hint: "Does it still speak its language, or repeat itself?",
    title: ["parse_share", "Parse, repetition"],
    unit: true,
    measured: true,
    lines: [
      ["parse_share", "policy", "parse", "parse_share"],
      ["repetition", "rejected", "rep.", "repetition"],
    ],
  },
  {
    key: "distinct",
    hint: "Does it still say different things?",
    title: ["distinct", "Distinct n-grams"],
    unit: true,
    measured: true,
    lines: [
      ["distinct_1", "soft", "1", "distinct"],
      ["distinct_2", "ink", "2", "distinct"],
      ["distinct_3", "policy", "3", "distinct"],
    ],
  },
];
