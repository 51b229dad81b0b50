"""One place for what every metric and symbol means; the app's tooltips and the glossary read it."""

from dataclasses import dataclass

PAPER = "Rafailov et al. 2023, arXiv 2305.18290"


@dataclass(frozen=True)
class Term:
    """``symbol`` as the paper writes it, ``unit`` in words, ``equation`` its source.

    ``shape`` is that of the quantity for P prompts, R replies, C comparisons and T+1 steps; ``trl`` what
    TRL calls it (a logged metric, a data column or a ``DPOConfig`` field), "" where it has no name for it.
    """

    label: str
    symbol: str
    unit: str
    definition: str
    equation: str
    shape: str = ""
    trl: str = ""


GLOSSARY: dict[str, Term] = {
    "policy": Term(
        "policy",
        "π(y|x)",
        "probability",
        "How likely the trained policy is to say this reply.",
        "Eq. 3",
        shape="[P, replies]",
        trl="model",
    ),
    "reference": Term(
        "reference",
        "π_ref(y|x)",
        "probability",
        "The policy before training; the start of every run and the anchor of the KL.",
        "Eq. 3",
        shape="[P, replies]",
        trl="ref_model",
    ),
    "optimum": Term(
        "optimum",
        "π*(y|x)",
        "probability",
        "Where the loss is smallest for the labels in force: π_ref·exp(r/β)/Z for the rewards that fit "
        "them. None is drawn where the labels have no finite optimum.",
        "Eq. 4",
        shape="[P, replies]",
    ),
    "beta": Term(
        "beta",
        "β",
        "nats per nat",
        "Strength of the KL anchor. Larger β: faster early (the gradient is "
        "multiplied by β), less far late (the same margin needs a smaller log-ratio).",
        "Eq. 3 and Eq. 7",
        shape="scalar",
        trl="beta",
    ),
    "learning_rate": Term(
        "learning rate",
        "η",
        "logits per unit gradient",
        "Step length of gradient descent: z ← z − η ∂L/∂z.",
        "—",
        shape="scalar",
        trl="learning_rate",
    ),
    "agreement": Term(
        "agreement",
        "p",
        "share of raters",
        "Share of raters who prefer the chosen reply. 1 is a unanimous label; at 0.5 the pair says nothing.",
        "Eq. 1, cDPO",
        shape="[C]",
        trl="1 − label_smoothing",
    ),
    "loss": Term(
        "loss",
        "L",
        "nats",
        "Mean over pairs of −log σ(u); log 2 = 0.6931 at step 0. With the sigma weight "
        "off it is −(2p−1)u, which starts at 0 and has no minimum.",
        "Eq. 7",
        shape="[T+1]",
        trl="loss",
    ),
    "rewards/chosen": Term(
        "implicit reward, chosen",
        "r̂(x, y_w)",
        "nats",
        "β·log(π/π_ref) of the chosen reply, mean over pairs.",
        "Eq. 5",
        shape="[T+1]",
        trl="rewards/chosen",
    ),
    "rewards/rejected": Term(
        "implicit reward, rejected",
        "r̂(x, y_l)",
        "nats",
        "β·log(π/π_ref) of the rejected reply, mean over pairs.",
        "Eq. 5",
        shape="[T+1]",
        trl="rewards/rejected",
    ),
    "rewards/margins": Term(
        "margin",
        "u",
        "nats",
        "Chosen minus rejected implicit reward. σ(u) is the probability "
        "that the policy itself gives to the label.",
        "Eq. 6",
        shape="[T+1]",
        trl="rewards/margins",
    ),
    "rewards/accuracies": Term(
        "accuracy",
        "acc",
        "share of pairs",
        "Share of pairs with a margin above 0 (strictly, "
        "so 0 at step 0). It says nothing about how likely good replies are.",
        "Eq. 6",
        shape="[T+1]",
        trl="rewards/accuracies",
    ),
    "logps/chosen": Term(
        "log-prob, chosen",
        "log π(y_w|x)",
        "nats",
        "Log-probability of the chosen reply, mean over pairs; it may fall.",
        "Eq. 7",
        shape="[T+1]",
        trl="logps/chosen",
    ),
    "logps/rejected": Term(
        "log-prob, rejected",
        "log π(y_l|x)",
        "nats",
        "Log-probability of the rejected reply, mean over pairs.",
        "Eq. 7",
        shape="[T+1]",
        trl="logps/rejected",
    ),
    "kl/policy_reference": Term(
        "KL(π‖π_ref)",
        "KL(π‖π_ref)",
        "nats",
        "Expected log(π/π_ref) under the policy. With finitely many replies it cannot pass ln(1/min π_ref).",
        "Eq. 3",
        shape="[T+1, P]",
    ),
    "kl/reference_policy": Term(
        "KL(π_ref‖π)",
        "KL(π_ref‖π)",
        "nats",
        "The other direction, expected under the "
        "reference. It has no ceiling: it grows for ever when a reply is driven to 0.",
        "—",
        shape="[T+1, P]",
    ),
    "kl/ceiling": Term(
        "KL ceiling",
        "ln(1/min π_ref)",
        "nats",
        "The most KL(π‖π_ref) can be: all mass on the reply that the reference found rarest.",
        "—",
        shape="[P]",
    ),
    "kl/share_of_ceiling": Term(
        "share of the KL ceiling",
        "KL/ceiling",
        "share",
        "KL(π‖π_ref) divided by its ceiling.",
        "—",
        shape="[T+1, P]",
    ),
    "entropy": Term(
        "entropy",
        "H(π)",
        "nats",
        "−Σ π log π: 0 when one reply has all the mass, ln K when K replies share it evenly.",
        "—",
        shape="[T+1, P]",
    ),
    "top_probability": Term(
        "top probability",
        "max π",
        "probability",
        "Probability of the likeliest reply.",
        "—",
        shape="[T+1, P]",
    ),
    "true_reward": Term(
        "true reward",
        "E_π[r]",
        "reward",
        "Expected true reward of the policy, where the world states one.",
        "Eq. 3",
        shape="[T+1, P]",
    ),
    "sigma_weight": Term(
        "sigma weight",
        "σ(−u)",
        "share",
        "How wrong the policy still is about this pair; DPO's "
        "gradient is multiplied by it. 1/2 at step 0; fixed at 1 when switched off.",
        "gradient of Eq. 7",
        shape="[T+1, C]",
    ),
    "coefficient": Term(
        "coefficient",
        "c(y) = ∂L/∂log π(y|x)",
        "per nat",
        "How hard the loss of this pair pulls on a "
        "reply's log-prob: −βσ(−u) for the chosen, +βσ(−u) for the rejected.",
        "gradient of Eq. 7",
        shape="[T+1, C]",
    ),
    "partition": Term(
        "partition function",
        "Z(x)",
        "—",
        "Σ π_ref(y|x) exp(r/β): what makes π* sum to 1. It cancels in every comparison.",
        "Eq. 4",
        shape="[P]",
    ),
    "x": Term(
        "prompt",
        "x",
        "text",
        "What the reply answers; drawn from the data set D.",
        "Eq. 1",
        shape="[P]",
        trl="prompt",
    ),
    "y": Term(
        "reply",
        "y",
        "text",
        "A whole reply. Its log-probability is the sum over its tokens, the end of text included.",
        "Eq. 1",
        shape="[R]",
    ),
    "y_w": Term(
        "chosen reply",
        "y_w",
        "text",
        "The reply that was preferred (w for win).",
        "Eq. 1",
        shape="[C]",
        trl="chosen",
    ),
    "y_l": Term(
        "rejected reply",
        "y_l",
        "text",
        "The reply that lost the comparison (l for lose).",
        "Eq. 1",
        shape="[C]",
        trl="rejected",
    ),
    "dataset": Term(
        "preference data",
        "D",
        "comparisons",
        "All comparisons (x, y_w, y_l) that the loss is averaged over.",
        "Eq. 2",
        shape="[C]",
        trl="train_dataset",
    ),
    "preference": Term(
        "preference probability",
        "p*(y₁ ≻ y₂|x)",
        "probability",
        "Probability that a rater prefers y₁ to y₂; under Bradley–Terry σ(r(x, y₁) − r(x, y₂)).",
        "Eq. 1",
        shape="[C]",
    ),
    "reward": Term(
        "reward",
        "r(x, y)",
        "reward",
        "How good a reply is. Preferences see only differences, so a shift per prompt changes nothing.",
        "Eq. 1",
        shape="[R]",
    ),
    "implicit_reward": Term(
        "implicit reward",
        "r̂(x, y)",
        "nats",
        "β·log(π/π_ref): the reward whose optimal policy π is, up to β log Z(x).",
        "Eq. 5",
        shape="[R]",
    ),
    "sigma": Term(
        "logistic function",
        "σ(z)",
        "probability",
        "1/(1 + e^(−z)): turns a difference of rewards into a probability. σ(0) = 1/2.",
        "Eq. 1",
        shape="as z",
    ),
    "log_ratio": Term(
        "log-ratio",
        "log(π/π_ref)",
        "nats",
        "How much likelier the policy finds a reply than the reference does; 0 at step 0.",
        "Eq. 5",
        shape="[R]",
    ),
    "log_ratio_margin": Term(
        "log-ratio margin",
        "h",
        "nats",
        "log-ratio of the chosen minus that of the rejected reply; the margin is u = βh.",
        "Eq. 6",
        shape="[C]",
    ),
    "kl": Term(
        "KL divergence",
        "KL(p‖q)",
        "nats",
        "Σ p log(p/q): what q loses on samples of p. Never negative, not symmetric.",
        "Eq. 3",
        shape="[P]",
    ),
    "expectation": Term("expectation", "E", "as its content", "Average over what stands below it.", "Eq. 2"),
    "theta": Term(
        "parameters",
        "θ",
        "—",
        "What training changes: logits in the toy, weights in a language model.",
        "Eq. 3",
        shape="[D]",
    ),
    "phi": Term(
        "reward-model parameters",
        "φ",
        "—",
        "What is fitted in the second stage of RLHF; DPO has none.",
        "Eq. 2",
    ),
    "soft_value": Term(
        "soft value",
        "V*(x)",
        "reward",
        "β log Z(x): the largest E[r] − β·KL that any policy can reach on this prompt.",
        "section 5.2",
        shape="[P]",
    ),
    "advantage": Term(
        "advantage",
        "A",
        "reward",
        "Reward minus a baseline; what an actor–critic method multiplies the score by.",
        "section 5.2",
        shape="[samples]",
    ),
    "token": Term(
        "token",
        "y_t",
        "—",
        "One piece of a reply; log π(y|x) = Σ_t log π(y_t|x, y_<t).",
        "Eq. 7",
        shape="[length]",
    ),
    "temperature": Term(
        "sampling temperature",
        "τ",
        "—",
        "Logits are divided by it when replies are drawn; 0 means always the likeliest token.",
        "section 6",
        shape="scalar",
        trl="temperature",
    ),
}
