"""A lesson once it is read: sections of blocks, each a frozen dataclass. HTML is escaped and safe to show.

Maths stays TeX inside ``<span class="tex">`` (display: ``<div class="tex display">``) for the browser.
"""

from dataclasses import dataclass
from math import log

from dpo_core.world.scenario import Scenario


class LessonError(ValueError):
    """A lesson file that cannot be used. ``str()`` is one line: file, line, what, how to mend it."""

    def __init__(self, file: str, line: int, what: str, mend: str) -> None:
        self.file, self.line, self.what, self.mend = file, line, what, mend
        super().__init__(" ".join(f"{file}, line {line}: {what}. {mend}.".split()))


@dataclass(frozen=True)
class Show:
    """A state worth seeing: a scenario at a step, and which of its numbers to draw.

    ``page`` is "playground" or "gpt2" (then ``scenario`` is None and ``experiment`` says what it opens).
    """

    page: str
    scenario: Scenario | None
    preset: str | None
    step: int
    metrics: tuple[str, ...]
    prompt: int
    experiment: str = ""
    against: Scenario | None = None  # the dashed run, with its name
    against_name: str = ""


@dataclass(frozen=True)
class Prose:
    html: str
    text: str


@dataclass(frozen=True)
class Step:
    """One line of a derivation; ``rule`` and ``note`` are HTML."""

    tex: str
    rule: str
    note: str


@dataclass(frozen=True)
class Derivation:
    title: str
    steps: tuple[Step, ...]
    text: str


@dataclass(frozen=True)
class CheckPanel:
    key: str


@dataclass(frozen=True)
class Prediction:
    """A question answered by a choice (``choices``, ``answer``) or by drawing (``sketch``) a ``metric``."""

    id: str
    question: str
    choices: tuple[str, ...]
    answer: int
    why: str
    show: Show | None
    sketch: str
    metric: str
    text: str
    curve: str = ""  # what is drawn where no run is: a key of lessons.computed.CURVES


@dataclass(frozen=True)
class Vote:
    """Two replies to vote on. ``example`` is (votes for the first, votes) of an invented class, told as such;
    ``close`` says why the choice is a close one."""

    id: str
    topic: str
    prompt: str
    replies: tuple[str, str]
    example: tuple[int, int]
    close: str
    text: str

    def outcome(self, choice: int) -> tuple[float, float]:
        """Share p of the first reply, the reader's vote counted, and the reward gap log(p/(1−p)), nats."""
        share = (self.example[0] + (choice == 0)) / (self.example[1] + 1)
        return share, log(share / (1.0 - share))


@dataclass(frozen=True)
class Exercise:
    """A problem of ``lessons.problems``: its question and, behind a fold, its solution."""

    key: str
    question: str
    solution: str
    text: str


@dataclass(frozen=True)
class ShowMe:
    """A link (``drawn`` False) or a run drawn on the page with such a link (``drawn`` True)."""

    html: str
    show: Show
    drawn: bool


@dataclass(frozen=True)
class PublishedFigure:
    key: str


@dataclass(frozen=True)
class Level:
    audience: str
    slug: str
    html: str


@dataclass(frozen=True)
class Levels:
    levels: tuple[Level, ...]
    text: str


@dataclass(frozen=True)
class Misconception:
    belief: str
    truth: str
    check: str | None
    show: Show | None
    text: str


Panel = CheckPanel | Prediction | Vote | Exercise | Misconception  # what a reader acts on
Block = Prose | Derivation | Panel | ShowMe | PublishedFigure | Levels


@dataclass(frozen=True)
class Section:
    """One slide: a ``##`` heading (plain ``title``, rendered ``html``) with what stands below it."""

    title: str
    html: str
    slug: str
    line: int
    notes: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Lesson:
    number: int
    slug: str
    title: str
    summary: str
    equations: tuple[str, ...]
    minutes: int
    sections: tuple[Section, ...]

    @property
    def checks(self) -> tuple[str, ...]:
        """Keys of all checks on the page, in reading order."""
        keys = []
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, CheckPanel):
                    keys.append(block.key)
                elif isinstance(block, Misconception) and block.check:
                    keys.append(block.check)
        return tuple(keys)

    @property
    def shows(self) -> tuple[Show, ...]:
        """All states that the page links to, in reading order."""
        shows = []
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, ShowMe | Prediction | Misconception) and block.show is not None:
                    shows.append(block.show)
        return tuple(shows)


def text_of(block: Block) -> str:
    """What search reads of a block."""
    match block:
        case Prose() | Derivation() | Prediction() | Vote() | Exercise() | Levels() | Misconception():
            return block.text
        case CheckPanel() | PublishedFigure():
            return block.key.replace("_", " ").replace("-", " ")
        case ShowMe():
            return block.html
