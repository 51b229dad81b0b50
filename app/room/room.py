"""A room as data, and what changes it. Pure: a store keeps rooms, this says what they may become."""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

OPEN, CLOSED, REVEALED = "open", "closed", "revealed"
MOST_QUESTIONS = 200  # in one room


class Refused(Exception):
    """A request that the room does not take: one line for the one who sent it, and its HTTP status."""

    def __init__(self, line: str, status: int = 409) -> None:
        super().__init__(line)
        self.status = status


class NoRoom(Refused):
    """There is no room of this code (any more)."""

    def __init__(self) -> None:
        super().__init__("There is no room with this code. Check the letters, or ask for the new code.", 404)


def unknown_question() -> Refused:
    return Refused("This question is not one of this room's. Reload the page.", 404)


def closed_question() -> Refused:
    return Refused("This question is closed: the vote came too late.", 409)


def unknown_answer() -> Refused:
    return Refused("This answer is not one of the question's. Reload the page.", 400)


@dataclass(frozen=True)
class Question:
    """What is asked. ``number`` counts from 1 in its room; ``again`` is the earlier round's number, or 0."""

    number: int
    text: str
    answers: tuple[str, ...]
    status: str = OPEN
    closes: float = 0.0  # the store's clock in seconds, 0 without a countdown
    again: int = 0
    about: dict[str, Any] = field(default_factory=dict)  # the driver's own note: which comparison this is


@dataclass(frozen=True)
class Room:
    """A room at one version. ``driver`` is the hash of the driver's token; ``secret`` signs the voters'."""

    code: str
    driver: str
    secret: str
    expires: float
    version: int = 1
    picture: int = 0  # the version at which the picture on show was posted, 0 where none is
    questions: tuple[Question, ...] = ()

    @property
    def current(self) -> Question | None:
        return self.questions[-1] if self.questions else None

    def question(self, number: int) -> Question:
        """The question of that number. Raises Refused."""
        if not 1 <= number <= len(self.questions):
            raise unknown_question()
        return self.questions[number - 1]

    def at(self, now: float) -> "Room":
        """This room at that time: a question whose countdown ran out is closed."""
        last = self.current
        if last is None or last.status != OPEN or not last.closes or now < last.closes:
            return self
        return self._with(replace(last, status=CLOSED))

    def asked(
        self, text: str, answers: tuple[str, ...], closes: float, again: int, about: dict[str, Any]
    ) -> "Room":
        """With one more question; the one before it is closed."""
        if len(self.questions) >= MOST_QUESTIONS:
            raise Refused(f"A room holds {MOST_QUESTIONS} questions. Open another room.")
        if again:
            self.question(again)
        room = self
        if room.current is not None and room.current.status == OPEN:
            room = room.closed(room.current.number)
        made = Question(len(self.questions) + 1, text, answers, OPEN, closes, again, about)
        return replace(room, questions=(*room.questions, made))

    def closed(self, number: int) -> "Room":
        """With that question closed, if it was open."""
        question = self.question(number)
        return self._with(replace(question, status=CLOSED)) if question.status == OPEN else self

    def revealed(self, number: int) -> "Room":
        """With that question's tally for everyone to read. Raises Refused while it is open."""
        question = self.question(number)
        if question.status == OPEN:
            raise Refused("Close the question before its result is revealed.")
        return self._with(replace(question, status=REVEALED))

    def _with(self, question: Question) -> "Room":
        kept = list(self.questions)
        kept[question.number - 1] = question
        return replace(self, questions=tuple(kept))


def room_to_json(room: Room) -> str:
    return json.dumps(asdict(room), separators=(",", ":"), ensure_ascii=False)


def room_from_json(text: str) -> Room:
    document = json.loads(text)
    questions = tuple(Question(**{**q, "answers": tuple(q["answers"])}) for q in document.pop("questions"))
    return Room(**document, questions=questions)
