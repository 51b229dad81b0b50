"""Glossary entries for what is measured on a language model; ``dpo_core.glossary`` holds all of them."""

from dpo_core.glossary.term import Term

LANGUAGE_METRICS: dict[str, Term] = {
    "sampled_kl": Term(
        "KL(π‖π_ref), sampled",
        "KL(π‖π_ref)",
        "nats per reply",
        "How far a language model has moved, expected under the policy: replies are drawn from it, and the "
        "exact KL of each next-token distribution is summed along them. The band is one standard error.",
        "Eq. 3",
    ),
    "sampled_kl_reverse": Term(
        "KL(π_ref‖π), sampled",
        "KL(π_ref‖π)",
        "nats per reply",
        "The other direction: expected under the reference, along replies that the reference wrote. It grows "
        "fast when the policy no longer finds likely what its reference says.",
        "—",
    ),
    "sampled_entropy": Term(
        "entropy, sampled",
        "H(π)",
        "nats per reply",
        "How open the model's replies are: the exact entropy of each next-token distribution, summed along "
        "replies drawn from the policy. It falls towards 0 as the model says one thing only.",
        "—",
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
