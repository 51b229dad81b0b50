"""One place for what every metric and symbol means; the app's tooltips and the glossary read it."""

from dataclasses import dataclass

PAPER = "Rafailov et al. 2023, arXiv 2305.18290"


@dataclass(frozen=True)
class Term:
    """``symbol`` as the paper writes it, ``unit`` in words, ``equation`` its source."""

    label: str
    symbol: str
    unit: str
    definition: str
    equation: str


GLOSSARY: dict[str, Term] = {
    "policy": Term(
        "policy", "π(y|x)", "probability", "How likely the trained policy is to say this reply.", "Eq. 3"
    ),
    "reference": Term(
        "reference",
        "π_ref(y|x)",
        "probability",
        "The policy before training; the start of every run and the anchor of the KL.",
        "Eq. 3",
    ),
    "optimum": Term(
        "optimum",
        "π*(y|x)",
        "probability",
        "Where the loss is smallest for the labels in force: π_ref·exp(r/β)/Z for the rewards that fit "
        "them. None is drawn where the labels have no finite optimum.",
        "Eq. 4",
    ),
    "beta": Term(
        "beta",
        "β",
        "nats per nat",
        "Strength of the KL anchor. Larger β: faster early (the gradient is "
        "multiplied by β), less far late (the same margin needs a smaller log-ratio).",
        "Eq. 3 and Eq. 7",
    ),
    "learning_rate": Term(
        "learning rate",
        "η",
        "logits per unit gradient",
        "Step length of gradient descent: z ← z − η ∂L/∂z.",
        "—",
    ),
    "agreement": Term(
        "agreement",
        "p",
        "share of raters",
        "Share of raters who prefer the chosen reply. 1 is a unanimous label; at 0.5 the pair says nothing.",
        "Eq. 1, cDPO",
    ),
    "loss": Term(
        "loss",
        "L",
        "nats",
        "Mean over pairs of −log σ(u); log 2 = 0.6931 at step 0. With the sigma weight "
        "off it is −(2p−1)u, which starts at 0 and has no minimum.",
        "Eq. 7",
    ),
    "rewards/chosen": Term(
        "implicit reward, chosen",
        "r̂(x, y_w)",
        "nats",
        "β·log(π/π_ref) of the chosen reply, mean over pairs.",
        "Eq. 5",
    ),
    "rewards/rejected": Term(
        "implicit reward, rejected",
        "r̂(x, y_l)",
        "nats",
        "β·log(π/π_ref) of the rejected reply, mean over pairs.",
        "Eq. 5",
    ),
    "rewards/margins": Term(
        "margin",
        "u",
        "nats",
        "Chosen minus rejected implicit reward. σ(u) is the probability "
        "that the policy itself gives to the label.",
        "Eq. 6",
    ),
    "rewards/accuracies": Term(
        "accuracy",
        "acc",
        "share of pairs",
        "Share of pairs with a margin above 0 (strictly, "
        "so 0 at step 0). It says nothing about how likely good replies are.",
        "Eq. 6",
    ),
    "logps/chosen": Term(
        "log-prob, chosen",
        "log π(y_w|x)",
        "nats",
        "Log-probability of the chosen reply, mean over pairs; it may fall.",
        "Eq. 7",
    ),
    "logps/rejected": Term(
        "log-prob, rejected",
        "log π(y_l|x)",
        "nats",
        "Log-probability of the rejected reply, mean over pairs.",
        "Eq. 7",
    ),
    "kl/policy_reference": Term(
        "KL(π‖π_ref)",
        "KL(π‖π_ref)",
        "nats",
        "Expected log(π/π_ref) under the policy. With finitely many replies it cannot pass ln(1/min π_ref).",
        "Eq. 3",
    ),
    "kl/reference_policy": Term(
        "KL(π_ref‖π)",
        "KL(π_ref‖π)",
        "nats",
        "The other direction, expected under the "
        "reference. It has no ceiling: it grows for ever when a reply is driven to 0.",
        "—",
    ),
    "kl/ceiling": Term(
        "KL ceiling",
        "ln(1/min π_ref)",
        "nats",
        "The most KL(π‖π_ref) can be: all mass on the reply that the reference found rarest.",
        "—",
    ),
    "kl/share_of_ceiling": Term(
        "share of the KL ceiling", "KL/ceiling", "share", "KL(π‖π_ref) divided by its ceiling.", "—"
    ),
    "entropy": Term(
        "entropy",
        "H(π)",
        "nats",
        "−Σ π log π: 0 when one reply has all the mass, ln K when K replies share it evenly.",
        "—",
    ),
    "top_probability": Term(
        "top probability", "max π", "probability", "Probability of the likeliest reply.", "—"
    ),
    "true_reward": Term(
        "true reward",
        "E_π[r]",
        "reward",
        "Expected true reward of the policy, where the world states one.",
        "Eq. 3",
    ),
    "sigma_weight": Term(
        "sigma weight",
        "σ(−u)",
        "share",
        "How wrong the policy still is about this pair; DPO's "
        "gradient is multiplied by it. 1/2 at step 0; fixed at 1 when switched off.",
        "gradient of Eq. 7",
    ),
    "coefficient": Term(
        "coefficient",
        "c(y) = ∂L/∂log π(y|x)",
        "per nat",
        "How hard the loss of this pair pulls on a "
        "reply's log-prob: −βσ(−u) for the chosen, +βσ(−u) for the rejected.",
        "gradient of Eq. 7",
    ),
    "partition": Term(
        "partition function",
        "Z(x)",
        "—",
        "Σ π_ref(y|x) exp(r/β): what makes π* sum to 1. It cancels in every comparison.",
        "Eq. 4",
    ),
    "sampled_kl": Term(
        "KL(π‖π_ref), sampled",
        "KL(π‖π_ref)",
        "nats per reply",
        "How far a language model has moved, expected under the policy: replies are drawn from it, and the "
        "exact KL of each next-token distribution is summed along them. The band is one standard error. The "
        "other direction, KL(π_ref‖π), would be expected under the reference and is not what is drawn here.",
        "Eq. 3",
    ),
    "true_sentiment": Term(
        "true sentiment",
        "r(x, y)",
        "−1 to 1",
        "What the grammar says a review feels, exactly; a text that does not parse counts 0. Mean over fresh "
        "samples on prompts that were never trained on, with one standard error.",
        "—",
    ),
    "parse_share": Term(
        "parse share",
        "share",
        "share of samples",
        "Share of fresh samples that are sentences of the grammar that wrote the corpus: an exact measure of "
        "whether the model still speaks its language.",
        "—",
    ),
    "repetition": Term(
        "repetition",
        "rep-4",
        "share of 4-grams",
        "Share of a reply's runs of four tokens that already stood earlier in it (Welleck et al. 2019, "
        "arXiv 1908.04319).",
        "—",
    ),
    "distinct": Term(
        "distinct n-grams",
        "distinct-n",
        "share of n-grams",
        "Different n-grams over all n-grams of the samples together: it falls when the model says the same "
        "over and over (Li et al. 2016, arXiv 1510.03055).",
        "—",
    ),
    "token_ratio": Term(
        "token log-ratio",
        "log π(y_t|x, y_<t)/π_ref(y_t|x, y_<t)",
        "nats",
        "How much more likely the policy finds one token than the reference does. The sum over the reply's "
        "tokens, end-of-text included and prompt masked, times β is the implicit reward.",
        "Eq. 5",
    ),
    "batch_size": Term(
        "pairs per step",
        "B",
        "pairs",
        "How many pairs one step reads; all get their turn before any comes again. 0 takes all of them.",
        "—",
    ),
    "measure_every": Term(
        "measure every",
        "—",
        "steps",
        "Every so many steps fresh samples are drawn, shown and measured, which takes its time.",
        "—",
    ),
}
