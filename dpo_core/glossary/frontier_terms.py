"""Glossary entries of the frontier page; ``dpo_core.glossary`` holds all of them."""

from dpo_core.glossary.term import Term

FRONTIER_TERMS: dict[str, Term] = {
    "frontier": Term(
        "exact frontier",
        "{π* at β}",
        "reward against nats",
        "For each KL(π‖π_ref) the most true reward that any policy can have, means over prompts. It is made "
        "of π* at every β, and ends where π* says only the best replies.",
        "Eq. 4",
        shape="a curve",
    ),
    "frontier_slope": Term(
        "slope of the frontier",
        "dR/dKL = β",
        "reward per nat",
        "How much reward one more nat buys at π*: exactly β. The straight line with that slope touches the "
        "frontier at π* and is nowhere below it.",
        "Eq. 3",
        shape="scalar",
    ),
    "below_frontier": Term(
        "below the line",
        "R*(KL) − R",
        "reward",
        "How much more true reward the exact frontier has at the same KL(π‖π_ref); never negative.",
        "Eq. 3",
        shape="[T+1]",
    ),
    "best_of_n": Term(
        "best of N",
        "N",
        "draws",
        "Draw N replies from the reference and say the one with the most true reward: no training, and close "
        "below the frontier. Its KL is at most log N − (N−1)/N nats.",
        "arXiv 2401.01879",
        shape="[P, replies]",
    ),
    "win_rate": Term(
        "win rate",
        "P(better)",
        "share",
        "How often a reply has more true reward than one of the reference's; ties count half.",
        "section 6.1",
        shape="scalar",
    ),
}
