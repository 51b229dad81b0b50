"""What the lesson pages ask the server: checks at the reader's numbers, and searches. Pure: no Streamlit.

A question is ``{"client", "n", "asks": {id: ask}}``; an ask is ``{"check": key, "values": {…}, "mutant":
label?}``, ``{"search": text}`` or ``{"problem": key, "answer": text}``. The answer repeats ``client`` and
``n``. Whatever a browser sends, the answer is data, never an exception.
"""

import math
from typing import Any

from app.lessons import lesson_payload
from lessons import search
from lessons.check import CheckError
from lessons.checks import CHECKS
from lessons.problems import PROBLEMS

MAX_ASKS = 40


def answer(question: Any) -> dict[str, Any] | None:
    """The answers by id, or None for something that is no question."""
    if not isinstance(question, dict) or not isinstance(question.get("asks"), dict):
        return None
    number = question.get("n")
    if not isinstance(number, int | float) or not abs(number) < math.inf or abs(number) > 2**53:
        return None
    asks = list(question["asks"].items())[:MAX_ASKS]
    answers = {str(name)[:80]: _one(ask) for name, ask in asks}
    return {"client": str(question.get("client"))[:40], "n": number, "answers": answers}


def _one(ask: Any) -> dict[str, Any]:
    if not isinstance(ask, dict):
        return {"error": "This question is incomplete. Reload the page."}
    if "search" in ask:
        hits = search.index().search(str(ask["search"]))
        return {"hits": [vars(hit) for hit in hits]}
    if "problem" in ask:
        problem = PROBLEMS.get(str(ask["problem"]))
        if problem is None:
            return {"error": "This problem is not known here. Reload the page."}
        return vars(problem.check(str(ask.get("answer", ""))))
    check = CHECKS.get(str(ask.get("check")))
    values = ask.get("values")
    if check is None or not isinstance(values, dict):
        return {"error": "This check is not known here. Reload the page."}
    try:
        if ask.get("mutant") is not None:
            check = check.broken(str(ask["mutant"]))
        return lesson_payload.result(check.evaluate(values))
    except CheckError as error:
        return {"error": str(error)}
    except ArithmeticError:
        return {"error": "These numbers leave the range of float64. Move the controls back a little."}
