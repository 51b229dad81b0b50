"""Lessons as JSON for the browser: the text, the checks' first answers, the pictures, the links."""

from dataclasses import asdict
from functools import cache
from typing import Any
from urllib.parse import quote

from app.playground.link import encode, link_to
from dpo_core.glossary import GLOSSARY
from lessons import markdown
from lessons.check import Check, Control, Result
from lessons.checks import CHECKS
from lessons.computed import CURVES
from lessons.document import (
    Block,
    CheckPanel,
    Derivation,
    Exercise,
    Lesson,
    Levels,
    Misconception,
    Prediction,
    Prose,
    PublishedFigure,
    Show,
    ShowMe,
    Vote,
)
from lessons.gallery import FIGURES
from lessons.library import lessons
from lessons.mentions import mentions
from lessons.picture import picture
from lessons.problems import PROBLEMS


def index() -> dict[str, Any]:
    """The list of lessons and the glossary: what every lesson page needs first."""
    return {
        "lessons": [
            {
                "slug": lesson.slug,
                "number": lesson.number,
                "title": markdown.inline(lesson.title),
                "summary": markdown.inline(lesson.summary),
                "minutes": lesson.minutes,
                "equations": lesson.equations,
                "sections": [{"slug": s.slug, "title": s.title, "html": s.html} for s in lesson.sections],
                "predictions": sum(isinstance(b, Prediction) for s in lesson.sections for b in s.blocks),
            }
            for lesson in lessons().values()
        ],
        "glossary": {key: asdict(term) for key, term in GLOSSARY.items()},
        "mentions": {key: [asdict(place) for place in places] for key, places in mentions().items()},
    }


def document(lesson: Lesson) -> dict[str, Any]:
    """One lesson, whole."""
    return {
        "slug": lesson.slug,
        "sections": [
            {
                "slug": section.slug,
                "title": section.title,
                "html": section.html,
                "notes": markdown.block(section.notes),
                "blocks": [_block(block) for block in section.blocks],
            }
            for section in lesson.sections
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Prose():
            return {"kind": "prose", "html": block.html}
        case Derivation():
            return {"kind": "derive", "title": block.title, "steps": [asdict(step) for step in block.steps]}
        case CheckPanel():
            return {"kind": "check", "check": check_panel(CHECKS[block.key])}
        case Prediction():
            return {
                "kind": "predict",
                "id": block.id,
                "question": block.question,
                "choices": block.choices,
                "answer": block.answer,
                "why": block.why,
                "sketch": block.sketch,
                "curve": _curve(block.curve),
                "show": state(block.show, drawn=True) if block.show else None,
            }
        case Vote():
            return {
                "kind": "vote",
                **{name: getattr(block, name) for name in ("id", "topic", "prompt", "replies", "close")},
                "example": block.example,
                "outcomes": [block.outcome(choice) for choice in (0, 1)],
            }
        case Exercise():
            return {
                "kind": "problem",
                "key": block.key,
                "wants": PROBLEMS[block.key].kind,
                "question": block.question,
                "solution": block.solution,
            }
        case ShowMe():
            return {"kind": "show", "html": block.html, "show": state(block.show, drawn=block.drawn)}
        case PublishedFigure():
            figure = FIGURES[block.key]
            prose = {
                name: markdown.inline(getattr(figure, name)) for name in ("title", "caption", "not_claimed")
            }
            return {
                "kind": "figure",
                "figure": {**asdict(figure), **prose, "source": markdown.inline(figure.source)},
            }
        case Levels():
            return {"kind": "levels", "levels": [asdict(level) for level in block.levels]}
        case Misconception():
            return {
                "kind": "wrong",
                "belief": block.belief,
                "truth": block.truth,
                "check": check_panel(CHECKS[block.check]) if block.check else None,
                "show": state(block.show, drawn=True) if block.show else None,
            }


def _curve(key: str) -> dict[str, Any] | None:
    """A computed curve in the form of a run with one metric, which is how a sketch is drawn."""
    if not key:
        return None
    curve = CURVES[key]()
    steps = len(curve.values) - 1
    metric = {"name": key, "label": curve.label, "unit": curve.unit, "values": curve.values}
    return {"t": list(range(steps + 1)), "steps": steps, "x_label": curve.x_label, "metrics": [metric]}


def state(show: Show, drawn: bool) -> dict[str, Any]:
    """A link to the state that the text talks about, with the run to draw where that is asked for."""
    picture_of = picture(show) if drawn and show.scenario is not None else None
    return {"page": show.page, "href": address(show), "picture": picture_of}


def address(show: Show) -> str:
    """The state's address, relative to any page of the app (the Playground stands at the root)."""
    if show.scenario is None:
        return f"gpt2?experiment={quote(show.experiment)}" if show.experiment else "gpt2"
    if show.against is not None:
        return (
            f"./?s={encode(show.scenario, show.preset, ((show.against_name, show.against),))}&t={show.step}"
        )
    return f"./?{link_to(show.scenario, show.step, show.preset)}"


@cache
def check_panel(check: Check) -> dict[str, Any]:
    """A check with its controls and what it says at their defaults."""
    return {
        "key": check.key,
        "claim": markdown.inline(check.claim),
        "equation": check.equation,
        "relation": check.relation,
        "controls": [_control(control) for control in check.controls],
        "mutants": [mutant.label for mutant in check.mutants],
        "result": result(check.evaluate({})),
    }


def _control(control: Control) -> dict[str, Any]:
    kind = type(control).__name__.lower()
    return {**asdict(control), "label": markdown.inline(control.label), "kind": kind}


def result(found: Result) -> dict[str, Any]:
    """Both sides as the browser shows them."""
    sides = found.sides
    return {
        "left": _side(sides.left),
        "right": _side(sides.right),
        "left_label": markdown.inline(sides.left_label),
        "right_label": markdown.inline(sides.right_label),
        "rows": [[markdown.inline(label), float(value)] for label, value in sides.rows],
        "difference": found.difference,
        "holds": found.holds,
        "values": found.values,
    }


def _side(side: float | tuple[float, ...]) -> float | list[float]:
    return [float(x) for x in side] if isinstance(side, tuple) else float(side)
