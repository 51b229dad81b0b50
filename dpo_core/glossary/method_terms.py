"""Glossary entries of the methods: each one itself, from its declaration, their settings and readings."""

from dpo_core.glossary.term import Term
from dpo_core.methods import METHODS


def method_key(name: str) -> str:
    """The glossary's key of a method."""
    return f"method/{name}"


METHOD_TERMS: dict[str, Term] = {
    "hinge_margin": Term(
        "hinge margin",
        "δ",
        "nats",
        "The lead in log-prob at which SLiC's hinge lets a pair go.",
        "SLiC-HF, Eq. 1",
        shape="scalar",
    ),
    "imitation_weight": Term(
        "imitation weight",
        "λ",
        "—",
        "How much of SLiC's loss is plain imitation of the chosen reply.",
        "SLiC-HF, Eq. 1",
        shape="scalar",
    ),
    "penalty_weight": Term(
        "penalty weight",
        "λ",
        "—",
        "How strongly DPOP holds the chosen reply at its reference log-prob or above.",
        "DPOP, Eq. 3",
        shape="scalar",
    ),
    "odds_weight": Term(
        "odds weight",
        "λ",
        "—",
        "How much the odds ratio counts in ORPO beside imitation.",
        "ORPO, Eq. 6",
        shape="scalar",
        trl="beta",
    ),
    "unlikelihood_weight": Term(
        "unlikelihood weight",
        "α",
        "—",
        "How hard the rejected reply is pushed down for each push up of the chosen one.",
        "section 6",
        shape="scalar",
    ),
    "desirable_weight": Term(
        "weight of thumbs up",
        "λ_D",
        "—",
        "What a reply with a thumb up counts in KTO.",
        "KTO, Eq. 8",
        shape="scalar",
        trl="desirable_weight",
    ),
    "undesirable_weight": Term(
        "weight of thumbs down",
        "λ_U",
        "—",
        "What a reply with a thumb down counts in KTO.",
        "KTO, Eq. 8",
        shape="scalar",
        trl="undesirable_weight",
    ),
    "blend_temperature": Term(
        "blend temperature",
        "τ_b",
        "nats",
        "How sharply DiscoPOP turns from its logistic to its exponential part as the margin passes 0.",
        "DiscoPOP, Eq. 5",
        shape="scalar",
        trl="discopop_tau",
    ),
    "chosen_penalty": Term(
        "fall of the chosen reply",
        "max(0, log π_ref(y_w) − log π(y_w))",
        "nats",
        "How far the chosen reply has fallen below its reference log-prob; DPOP pays for it.",
        "DPOP, Eq. 3",
        shape="[T+1, C]",
    ),
    "log_odds_ratio": Term(
        "log-odds ratio",
        "log odds(y_w) − log odds(y_l)",
        "nats",
        "ORPO's margin: odds are q/(1 − q) of q = e^(mean log π).",
        "ORPO, Eq. 7",
        shape="[T+1, C]",
        trl="log_odds_ratio",
    ),
    "reference_point": Term(
        "reference point",
        "z₀",
        "nats",
        "What KTO measures a reply's log-ratio against: KL(π‖π_ref) of its prompt, held constant.",
        "KTO, Eq. 8",
        shape="[T+1, C]",
        trl="kl",
    ),
    "thumb": Term(
        "thumb",
        "↑ ↓",
        "label",
        "A single reply that was liked or not, without another to compare it with.",
        "KTO, Eq. 8",
        trl="label",
    ),
    **{
        method_key(m.name): Term(m.title, m.formula, "loss, nats", m.summary, m.source, trl=m.trl)
        for m in METHODS.values()
    },
}
