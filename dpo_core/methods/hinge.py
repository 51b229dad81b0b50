"""The hinge on DPO's margin: as in SLiC-HF, but on log-ratios (see ``slic`` for SLiC itself)."""

import numpy as np

from dpo_core.methods.method import Asked, Method, Settings, beta, opposite
from dpo_core.numerics import Array


def _loss(s: Settings, asked: Asked) -> Array:
    return np.maximum(0.0, 1.0 - s["beta"] * asked.margin)


def _pull(s: Settings, asked: Asked) -> Array:
    return opposite(s["beta"] * (s["beta"] * asked.margin < 1.0))


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return "c(y_l) = β while u < 1, then 0: u = {u}, c(y_l) = **{c_l}**", "c(y_w) = −c(y_l) = **{c_w}**"


METHOD = Method(
    name="hinge",
    title="Hinge",
    summary="Pulls at full strength until the margin u reaches 1, then not at all.",
    formula="max(0, 1 − u)",
    source="Liu et al. 2023, arXiv 2309.06657 (RSO), Eq. 10: SLiC's hinge on DPO's normalised log-ratios",
    settings=(beta(),),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="hinge",
    levels=lambda s: {"loss": (1.0, "1"), "rewards/margins": (1.0, "1")},
)
