"""Lesson 12's charts: how hard each method pulls on the chosen reply, against the margin of its pair."""

from collections.abc import Callable

from dpo_core.methods import METHODS, configured
from dpo_core.methods.preference_loss import preference_loss
from lessons.figure import Figure, Point, Series

MARGINS = tuple(range(-8, 9))
BY_MARGIN = ("dpo", "cdpo", "robust", "exo_pair", "discopop", "hinge")
BY_REPLY = ("kto", "dpop", "orpo", "simpo", "sft", "slic", "nca_pair", "bco_pair", "apo_down")
SQUARES = ("ipo", "sppo_hard")
# on this pair these pull on the chosen reply exactly as another does
SAME = {"aot": "dpo", "aot_unpaired": "dpo", "plackett_luce": "dpo", "apo_zero": "kto", "unlikelihood": "sft"}
HUES = ("policy", "chosen", "rejected", "optimum", "reference")
STYLES = (*HUES, *(f"{hue} again" for hue in HUES))  # the second five are dashed


def pull(method: str, h: float, **settings: float | bool) -> float:
    """−c(w) at β = ½ and the method's other defaults, per nat.

    The pair's chosen reply gained h/2 nats and its rejected one lost as many, from a log-prob of −6 each
    under the reference; one token each.
    """
    halved = {"beta": 0.5} if METHODS[method].setting("beta") else {}
    objective = configured(method, **halved, **settings)
    return -float(preference_loss(objective, -6 + h / 2, -6 - h / 2, -6.0, -6.0).chosen_coefficients)


def curve(name: str, style: str, method: str, **settings: float | bool) -> Series:
    points = (Point(h, round(pull(method, h, **settings), 4)) for h in MARGINS)
    return Series(name, tuple(points), style)


def name_of(method: str) -> str:
    """Its title, with those that pull alike; Plackett–Luce and AOT stand in the text."""
    alike = [METHODS[other].title for other, like in SAME.items() if like == method != "dpo"]
    return ", ".join([METHODS[method].title, *alike])


def chart(key: str, title: str, methods: tuple[str, ...], caption: str, *more: Series) -> Figure:
    series = (*(curve(name_of(m), STYLES[i], m) for i, m in enumerate(methods)), *more)
    values = [point.y for one in series for point in one.points]
    return Figure(
        key,
        title,
        "line",
        "log-ratio margin h (nats): wrong order on the left, right order on the right",
        "pull on the chosen reply, −c",
        series,
        "computed here from the methods of this app, β = ½, other settings at their defaults",
        caption,
        "That a stronger pull is a better one, or that methods compare at equal β: each method's β has "
        "its own meaning. Compare shapes: where a curve is 0, and where it stops falling.",
        y_low=min(-0.1, min(values)),
        y_high=max(0.6, max(values)),
        baseline=0.0,
        baseline_label="no pull",
    )


def by_margin() -> Figure:
    """The methods that see nothing but the margin."""
    return chart(
        "pulls_by_margin",
        "Methods that see only the margin",
        BY_MARGIN,
        "DPO fades and never stops. cDPO stops at a finite margin and then pulls back. Without the weight "
        "the pull is the same for ever; the hinge drops it all at once, at a margin u of 1.",
        curve("DPO, weight off", STYLES[len(BY_MARGIN)], "dpo", sigma_weight=False),
    )


def by_reply() -> Figure:
    """The methods that look at each reply, at its length, or not at the reference."""
    return chart(
        "pulls_by_reply",
        "Methods that see more than the margin",
        BY_REPLY,
        "KTO is strongest near the reference's level and gives up on both sides; SFT never looks; SimPO and "
        "ORPO do not ask the reference; DPOP pulls hard while the chosen reply is below the reference; "
        "APO-down pushes the chosen reply down as well, only less than the rejected one.",
    )


def squares() -> Figure:
    """The squared losses, on a scale of their own."""
    return chart(
        "pulls_of_squares",
        "Squared losses",
        SQUARES,
        "A square's pull is a straight line through its target: IPO's is h = 1/(2β) = 1. Far away it pulls "
        "harder than anything above, and beyond its target it pulls back.",
    )


PULLS: dict[str, Callable[[], Figure]] = {
    "pulls_by_margin": by_margin,
    "pulls_by_reply": by_reply,
    "pulls_of_squares": squares,
}
