"""Identity Preference Optimization: a squared distance to a finite margin."""

from typing import Any

from dpo_core.methods.label_fit import least_squares_shift
from dpo_core.methods.labels import Labels
from dpo_core.methods.method import Asked, Method, Reading, Settings, beta, opposite
from dpo_core.numerics import Array


def target(s: Settings) -> Any:
    """The log-ratio margin at which the loss is 0, nats; an array where β is one."""
    return 1.0 / (2.0 * s["beta"])


def _loss(s: Settings, asked: Asked) -> Array:
    return (asked.margin - target(s)) ** 2  # Eq. 17


def _pull(s: Settings, asked: Asked) -> Array:
    return opposite(-2.0 * (asked.margin - target(s)))


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    if unanimous:
        return (
            "c(y_l) = −2(h − 1/(2β)) = −2 × ({h} − 1/(2 × {beta})) = **{c_l}**",
            "c(y_w) = −c(y_l) = **{c_w}**",
        )
    return "c(y_l) = −2(h − (2p−1)/(2β)), h = {h}", "c(y_w) = −c(y_l) = **{c_w}**"


def _optimum(s: Settings, labels: Labels) -> Array | None:
    return least_squares_shift(labels, (2.0 * labels.agreement - 1.0) * target(s))


METHOD = Method(
    name="ipo",
    title="IPO",
    summary="Drives the log-ratio margin h to 1/(2β) and no further: unanimous labels have a finite optimum.",
    formula="(h − 1/(2β))²",
    source="Azar et al. 2023, arXiv 2310.12036, Eq. 17 (β is called τ there)",
    settings=(beta(),),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="ipo",
    trl_differs="TRL divides each log-ratio by its reply's length first",
    readings=(Reading("log_ratio_margin", lambda s, a: a.margin),),
    levels=lambda s: {"log_ratio_margin": (float(target(s)), "1/(2β)")},
    optimum=_optimum,
)
