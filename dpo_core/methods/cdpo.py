"""Conservative DPO: a share ε of the labels is taken to be wrong."""

from dpo_core.methods.dpo import dpo_coefficient, dpo_loss
from dpo_core.methods.label_fit import bradley_terry_shift
from dpo_core.methods.labels import Labels
from dpo_core.methods.method import (
    Asked,
    Method,
    Reading,
    Setting,
    Settings,
    beta,
    log_two_at_start,
    opposite,
)
from dpo_core.numerics import Array, sigmoid


def smoothed(agreement: Array, epsilon: float) -> Array:
    """The share that agrees once a share ε of all labels is turned round."""
    return agreement * (1.0 - epsilon) + (1.0 - agreement) * epsilon


def _loss(s: Settings, asked: Asked) -> Array:
    return dpo_loss(asked.margin, s["beta"], smoothed(asked.agreement, s["epsilon"]))


def _pull(s: Settings, asked: Asked) -> Array:
    return opposite(dpo_coefficient(asked.margin, s["beta"], smoothed(asked.agreement, s["epsilon"])))


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    q = "1 − ε" if unanimous else "p(1 − ε) + (1 − p)ε"
    return (
        f"c(y_l) = β(q·σ(−u) − (1−q)·σ(u)) = **{{c_l}}**, q = {q}, ε = {{epsilon}}",
        "c(y_w) = −c(y_l) = **{c_w}**",
    )


def _optimum(s: Settings, labels: Labels) -> Array | None:
    return bradley_terry_shift(labels, smoothed(labels.agreement, s["epsilon"]), s["beta"])


METHOD = Method(
    name="cdpo",
    title="cDPO",
    summary="DPO that trusts no label fully: a share ε may be flipped, so that the margin has a finite goal.",
    formula="−(1−ε) log σ(u) − ε log σ(−u)",
    source='Mitchell 2023, "A note on DPO with noisy preferences", Eq. 3',
    settings=(beta(), Setting("epsilon", "label_noise", 0.1, (0.0, 0.5), (0.0, 0.5))),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl_differs="TRL has it as label_smoothing of its CPO trainer; its DPO trainer reads label_smoothing in "
    "robust, exo_pair, aot and aot_unpaired only, and leaves the sigmoid loss alone",
    mixes=True,
    readings=(Reading("sigma_weight", lambda s, a: sigmoid(-s["beta"] * a.margin), from_zero=True),),
    levels=log_two_at_start,
    optimum=_optimum,
)
