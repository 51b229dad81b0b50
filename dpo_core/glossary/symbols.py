"""Glossary entries for symbols that only the lessons use; ``dpo_core.glossary`` holds all of them."""

from dpo_core.glossary.term import Term

SYMBOLS: dict[str, Term] = {
    "logits": Term(
        "logits",
        "z",
        "nats",
        "The toy's parameters: π is their softmax, so one number added to a whole prompt changes nothing.",
        "—",
        shape="[R]",
        trl="logits",
    ),
    "features": Term(
        "features",
        "φ(y)",
        "—",
        "Numbers that describe a reply; replies that share them share parameters, and move together.",
        "—",
        shape="[R, D]",
    ),
    "ranking": Term(
        "ranking",
        "τ",
        "order of replies",
        "All K replies from best to worst; two of them are a comparison.",
        "Eq. 18",
        shape="[K]",
    ),
    "class_shift": Term(
        "shift of a reward class",
        "f(x)",
        "reward",
        "A number per prompt. Rewards that differ by it alone have the same preferences and optimum.",
        "Definition 1",
        shape="[P]",
    ),
    "label_noise": Term(
        "label noise",
        "ε",
        "share of labels",
        "Share of labels that say the opposite of the truth; agreement is 1 − ε.",
        "cDPO",
        shape="scalar",
        trl="label_smoothing",
    ),
    "target_margin": Term(
        "target margin",
        "γ",
        "nats",
        "What SimPO subtracts from the margin: the lead that a chosen reply should have.",
        "SimPO, Eq. 5",
        shape="scalar",
        trl="simpo_gamma",
    ),
    "length": Term(
        "length",
        "|y|",
        "tokens",
        "Number of tokens of a reply, its end of text included.",
        "—",
        shape="[R]",
    ),
    "time": Term(
        "time",
        "t",
        "learning rate × steps",
        "Many small steps look like a flow; this is how far along it a run is.",
        "—",
        shape="scalar",
    ),
}
