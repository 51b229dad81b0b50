"""What the votes say: shares and their intervals, the verdict in words, and the file to keep afterwards."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from app.room.room import Question, Room
from dpo_core.theory.vote_share import optimal_margin, wilson_interval

COLUMNS = ("question", "first_round", "comparison", "text", "answer", "votes", "share")
INTERVAL = ("wilson_low", "wilson_high")
Counts = Mapping[tuple[int, int], int]


def result(question: Question, counts: Counts) -> list[dict[str, Any]]:
    """For each answer its votes, share, and the 95 % interval of the share."""
    votes = [counts.get((question.number, answer), 0) for answer in range(len(question.answers))]
    total = sum(votes)
    rows = []
    for count in votes:
        low, high = wilson_interval(count, total)
        rows.append({"votes": count, "share": count / total if total else None, "low": low, "high": high})
    return rows


def verdict(question: Question, counts: Counts) -> list[str]:
    """What the room believes, how sure that is, and what DPO makes of it where two replies are compared."""
    rows = result(question, counts)
    total = sum(row["votes"] for row in rows)
    if not total:
        return ["Nobody has voted."]
    best = max(range(len(rows)), key=lambda answer: rows[answer]["votes"])
    row = rows[best]
    interval = f"95 % interval {_percent(row['low'])} to {_percent(row['high'])} %"
    share = f"{row['votes']} of {total} votes, {_percent(row['share'])} % ({interval})"
    said = f"“{question.answers[best]}”"
    if sum(other["votes"] == row["votes"] for other in rows) > 1:
        belief = f"The room is divided evenly: {said} has {share}."
    elif row["low"] <= 0.5:
        belief = f"More votes for {said}: {share}. That is no clear majority: the interval holds one half."
    else:
        belief = f"The room believes {said}: {share}."
    return [belief, _meaning(row["share"])] if "comparison" in question.about else [belief]


def _meaning(share: float) -> str:
    """What the label p = ``share`` means for DPO's loss of this one pair (Eq. 7)."""
    if share == 1.0:
        return (
            "All agree: under DPO p = 1 has no finite optimum. For as long as it trains, this pair drives "
            "the other reply towards probability 0, at every β."
        )
    if share == 0.5:
        return "p = 0.5: under DPO this pair asks for no difference at all, a margin u of 0."
    return (
        f"Disagreement is information: at p = {share:.2f} DPO is done with this pair at a finite margin, "
        f"were it alone: u = ln(p/(1 − p)) = {optimal_margin(share):.2f} nats, so its π* keeps both replies."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def results_to_csv(room: Room, counts: Counts) -> str:
    """Every answer's count as a row; there is nothing in it about who voted."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow([*COLUMNS, *INTERVAL])
    for question in room.questions:
        compared = question.about.get("comparison")
        for text, row in zip(question.answers, result(question, counts), strict=True):
            share = "" if row["share"] is None else row["share"]
            head = [question.number, question.again or "", "" if compared is None else compared + 1]
            texts = [_cell(question.text), _cell(text)]
            table.writerow([*head, *texts, row["votes"], share, row["low"], row["high"]])
    return out.getvalue()


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
