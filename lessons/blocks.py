"""The fenced blocks of a lesson: YAML into dataclasses, each mistake named with its line and a remedy."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dpo_core.errors import ScenarioError
from dpo_core.methods import METHODS
from dpo_core.toy.metrics import PER_PROMPT, PER_STEP
from dpo_core.world.objective_file import objective_from_json
from dpo_core.world.presets import find_preset
from dpo_core.world.scenario import Scenario
from dpo_core.world.scenario_file import scenario_from_json, scenario_to_json
from lessons import markdown, worked
from lessons.computed import CURVES
from lessons.document import (
    Block,
    CheckPanel,
    Derivation,
    Exercise,
    LessonError,
    Level,
    Levels,
    Misconception,
    Prediction,
    Prose,
    PublishedFigure,
    Show,
    ShowMe,
    Step,
    Vote,
)
from lessons.problems import PROBLEMS

PAGES = ("playground", "gpt2")
METRICS = (*PER_STEP, *PER_PROMPT, "sigma_weight")
REPLY = re.compile(r"policy/(\d+)")  # probability of one reply of the prompt
WORLD = {"preset", "scenario", "interventions", "objective"}
STATE = WORLD | {"step", "page", "metrics", "prompt", "experiment", "against"}


@dataclass(frozen=True)
class Known:
    """What a lesson may refer to, by key."""

    checks: frozenset[str]
    figures: frozenset[str]
    symbols: frozenset[str]


@dataclass(frozen=True)
class Reader:
    """One fenced block: ``value`` is its YAML, ``source`` its text, ``line`` the line of the fence."""

    file: str
    line: int
    source: str
    value: Any
    known: Known

    def read(self, kind: str) -> Block:
        return KINDS[kind](self)

    def fail(self, what: str, mend: str, key: str = "") -> LessonError:
        """The error, at the line of ``key`` where the block has it."""
        found = re.search(rf"^[ \-{{]*{re.escape(key)}\s*:", self.source, re.M) if key else None
        line = self.line + 1 + self.source.count("\n", 0, found.start()) if found else self.line
        return LessonError(self.file, line, what, mend)

    def mapping(self, value: Any, what: str, required: set[str], optional: set[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.fail(f"{what} is no mapping", f"Write key: value lines: {', '.join(sorted(required))}")
        for key in value:
            if key not in required | optional:
                allowed = ", ".join(sorted(required | optional))
                raise self.fail(f"{what} has an unknown key {key!r}", f"Use: {allowed}", str(key))
        for key in sorted(required - value.keys()):
            raise self.fail(f"{what} has no {key!r}", f"Add {key}: …")
        return value

    def text(self, value: Mapping[str, Any], key: str, default: str | None = None) -> str:
        """A text; its formulas are checked as those of the body are."""
        found = value.get(key, default)
        if isinstance(found, int | float) and not isinstance(found, bool):
            found = str(found)
        if not isinstance(found, str) or (default is None and not found.strip()):
            raise self.fail(
                f"{key} is no text", f"Write {key}: some text, in quotes where it holds ': '", key
            )
        tokens = markdown.parser().parse(found)
        for tex, _ in markdown.formulas(tokens):
            self.tex(tex, key)
        return found

    def tex(self, tex: str, key: str) -> str:
        if markdown.unbalanced(tex):
            raise self.fail(f"braces do not pair up in {tex.strip()[:60]!r}", "Mend the TeX", key)
        for symbol in markdown.SYMBOL.findall(tex):
            if symbol not in self.known.symbols:
                raise self.fail(f"unknown symbol {symbol!r}", "Add it to dpo_core/glossary.py", key)
        return tex.strip()

    def listed(self, value: Any, key: str, least: int = 1) -> list[Any]:
        if not isinstance(value, list) or len(value) < least:
            raise self.fail(f"{key} is no list of at least {least}", "Write one '- ' line per entry", key)
        return value

    def whole(self, value: Any, key: str, most: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise self.fail(f"{key} is {value!r}", f"Use a whole number from 0 to {most}", key)
        return value

    def key(self, value: Any, noun: str, among: frozenset[str], home: str, at: str = "id") -> str:
        if value not in among:
            mend = f"Add it to {home}, or use one that is there"
            raise self.fail(f"no {noun} {str(value)[:60]!r}", mend, at)
        return str(value)

    def scenario(self, value: Mapping[str, Any]) -> tuple[Scenario, str | None]:
        """The scenario that ``preset`` or ``scenario`` names, with the ``interventions`` added."""
        if ("preset" in value) == ("scenario" in value):
            raise self.fail("give exactly one of preset and scenario", "Add preset: align, or remove one")
        try:
            key = None
            if "preset" in value:
                preset = find_preset(str(value["preset"]))
                scenario, key = preset.scenario, preset.key
            else:
                scenario = scenario_from_json(value["scenario"])
            if "objective" in value:
                scenario = replace(scenario, objective=objective_from_json(value["objective"]))
                key = None  # what the preset says of itself need not hold of another method
            if value.get("interventions"):
                document = scenario_to_json(scenario)
                document["interventions"] += self.listed(value["interventions"], "interventions")
                scenario = scenario_from_json(document)
        except ScenarioError as error:
            raise self.fail(f"{error.where}: {error.what}", error.mend, "scenario") from None
        return scenario, key

    def show(self, value: Any, extra: frozenset[str] = frozenset()) -> Show:
        entry = self.mapping(value, "show", set(), STATE | extra)
        page = entry.get("page", "playground")
        if page not in PAGES:
            raise self.fail(f"no page {page!r}", f"Use one of: {', '.join(PAGES)}", "page")
        if page == "gpt2":
            return Show("gpt2", None, None, 0, (), 0, self.text(entry, "experiment", ""))
        if "experiment" in entry:
            raise self.fail("experiment is for page: gpt2", "Use preset or scenario here", "experiment")
        scenario, preset = self.scenario(entry)
        step = self.whole(entry.get("step", 0), "step", scenario.steps)
        prompt = self.whole(entry.get("prompt", 0), "prompt", len(scenario.preferences.prompts) - 1)
        names = entry.get("metrics", ["loss", "logps/chosen"])
        metrics = tuple(self.metric(name, scenario, prompt) for name in self.listed(names, "metrics"))
        against, name = self.against(entry, scenario)
        return Show("playground", scenario, preset, step, metrics[:3], prompt, "", against, name)

    def against(self, entry: Mapping[str, Any], scenario: Scenario) -> tuple[Scenario | None, str]:
        """The same world under another objective, to be drawn dashed beside it, and its name."""
        if "against" not in entry:
            return None, ""
        other = self.mapping(entry["against"], "against", {"name", "objective"}, set())
        try:
            objective = objective_from_json(other["objective"])
        except ScenarioError as error:
            raise self.fail(f"{error.where}: {error.what}", error.mend, "against") from None
        return replace(scenario, objective=objective), self.text(other, "name")

    def metric(self, name: Any, scenario: Scenario, prompt: int) -> str:
        reply = REPLY.fullmatch(str(name))
        if reply:
            self.whole(int(reply[1]), "metric", len(scenario.preferences.prompts[prompt].replies) - 1)
        elif name not in METRICS:
            raise self.fail(
                f"no metric {str(name)[:40]!r}", f"Use policy/0 or: {', '.join(METRICS)}", "metric"
            )
        if name == "true_reward" and scenario.preferences.reward is None:
            raise self.fail("this scenario states no true reward", "Choose another metric", "metric")
        return str(name)


def _derive(reader: Reader) -> Derivation:
    value = reader.mapping(reader.value, "derive", {"title", "steps"}, set())
    steps, words = [], [reader.text(value, "title")]
    for entry in reader.listed(value["steps"], "steps"):
        line = reader.mapping(entry, "a step", {"tex", "rule"}, {"note"})
        tex = reader.tex(reader.text(line, "tex"), "tex")
        rule, note = reader.text(line, "rule"), reader.text(line, "note", "")
        steps.append(Step(tex, markdown.inline(rule), markdown.inline(note)))
        words += [markdown.tex_words(tex), markdown.plain_text(rule), markdown.plain_text(note)]
    return Derivation(markdown.inline(value["title"]), tuple(steps), " ".join(words))


def _check(reader: Reader) -> CheckPanel:
    value = reader.mapping(reader.value, "check", {"id"}, set())
    return CheckPanel(reader.key(value["id"], "check", reader.known.checks, "lessons/checks"))


def _sketch(reader: Reader, value: Any) -> tuple[Show | None, str, str, str]:
    """The run to draw, the words that say so, its metric, and the curve that takes a run's place."""
    if isinstance(value, dict) and "curve" in value:
        drawing = reader.mapping(value, "sketch", {"prompt", "curve"}, set())
        among = frozenset(CURVES)
        curve = reader.key(drawing["curve"], "curve", among, "lessons/computed.py", "curve")
        return None, reader.text(drawing, "prompt"), "", curve
    drawing = reader.mapping(value, "sketch", {"prompt", "metric"}, STATE - {"prompt", "metrics"})
    state = {key: entry for key, entry in drawing.items() if key not in ("prompt", "metric")}
    show = reader.show({**state, "metrics": [drawing["metric"]]})
    if show.scenario is None:
        raise reader.fail("a sketch needs a run of the toy", "Use preset or scenario", "sketch")
    show = replace(show, step=show.step or show.scenario.steps)
    return show, reader.text(drawing, "prompt"), show.metrics[0], ""


def _predict(reader: Reader) -> Prediction:
    asked = {"id", "question", "why"}
    sketched = isinstance(reader.value, dict) and "sketch" in reader.value
    needed = asked | ({"sketch"} if sketched else {"choices", "answer"})
    value = reader.mapping(reader.value, "predict", needed, set() if sketched else {"show"})
    question, why = reader.text(value, "question"), reader.text(value, "why")
    choices: list[str] = []
    answer, show, sketch, metric, curve = 0, None, "", "", ""
    if sketched:
        show, sketch, metric, curve = _sketch(reader, value["sketch"])
    else:
        choices = [
            reader.text({"choices": entry}, "choices")
            for entry in reader.listed(value["choices"], "choices", 2)
        ]
        answer = reader.whole(value["answer"], "answer", len(choices) - 1)
        show = reader.show(value["show"]) if "show" in value else None
    return Prediction(
        reader.text(value, "id"),
        markdown.block(question),
        tuple(markdown.inline(choice) for choice in choices),
        answer,
        markdown.block(why),
        show,
        markdown.inline(sketch),
        metric,
        markdown.plain_text(" ".join([question, *choices, sketch, why])),
        curve,
    )


def _show(reader: Reader) -> ShowMe:
    value = reader.mapping(reader.value, "show", set(), STATE | {"text"})
    show = reader.show(value, frozenset({"text"}))
    words = {} if show.scenario is None or "objective" not in value else {"text": introduced(show.scenario)}
    return ShowMe(markdown.inline(reader.text(words | dict(value), "text")), show, False)


def introduced(scenario: Scenario) -> str:
    """A run's method in the words of its own file."""
    method = METHODS[scenario.objective.name]
    return f"**{method.title}.** {method.summary}"


def _picture(reader: Reader) -> ShowMe:
    value = reader.mapping(reader.value, "picture", set(), STATE | {"text"})
    show = reader.show(value, frozenset({"text"}))
    if show.scenario is None:
        raise reader.fail("a picture needs a run of the toy", "Use preset or scenario", "page")
    return ShowMe(markdown.inline(reader.text(value, "text", "")), show, True)


def _vote(reader: Reader) -> Vote:
    keys = {"id", "topic", "prompt", "replies", "example", "close"}
    value = reader.mapping(reader.value, "vote", keys, set())
    listed = reader.listed(value["replies"], "replies", 2)
    example = reader.listed(value["example"], "example", 2)
    if len(listed) != 2 or len(example) != 2:
        raise reader.fail("a vote has two replies and [votes for the first, votes]", "Write both", "replies")
    first, second = (reader.text({"replies": one}, "replies") for one in listed)
    votes = reader.whole(example[1], "example", 1000)
    ours = reader.whole(example[0], "example", max(votes - 1, 0))
    topic, prompt, close = (reader.text(value, key) for key in ("topic", "prompt", "close"))
    return Vote(
        reader.text(value, "id"),
        markdown.inline(topic),
        markdown.inline(prompt),
        (markdown.inline(first), markdown.inline(second)),
        (ours, votes),
        markdown.inline(close),
        markdown.plain_text(" ".join([topic, prompt, first, second, close])),
    )


def _problem(reader: Reader) -> Exercise:
    value = reader.mapping(reader.value, "problem", {"id", "question", "solution"}, set())
    key = reader.key(value["id"], "problem", frozenset(PROBLEMS), "lessons/problems.py")
    question, solution = reader.text(value, "question"), reader.text(value, "solution")
    text = markdown.plain_text(f"{question} {solution}")
    return Exercise(key, markdown.inline(question), markdown.block(solution), text)


def _worked(reader: Reader) -> Prose:
    value = reader.mapping(reader.value, "worked", {"new"}, set())
    try:
        table = worked.table(tuple(str(key) for key in reader.listed(value["new"], "new")))
    except KeyError as error:
        known = ", ".join(row.key for row in worked.rows())
        raise reader.fail(f"no row {error.args[0]!r}", f"Use: {known}", "new") from None
    return Prose(markdown.block(table), markdown.plain_text(table))


def _figure(reader: Reader) -> PublishedFigure:
    value = reader.mapping(reader.value, "figure", {"id"}, set())
    return PublishedFigure(reader.key(value["id"], "figure", reader.known.figures, "lessons/gallery.py"))


def _levels(reader: Reader) -> Levels:
    levels, words = [], []
    for entry in reader.listed(reader.value, "levels", 2):
        level = reader.mapping(entry, "a level", {"audience", "text"}, set())
        audience, text = reader.text(level, "audience"), reader.text(level, "text")
        levels.append(Level(audience, markdown.slugify(audience), markdown.block(text)))
        words.append(f"{audience} {markdown.plain_text(text)}")
    return Levels(tuple(levels), " ".join(words))


def _wrong(reader: Reader) -> Misconception:
    value = reader.mapping(reader.value, "wrong", {"belief", "truth"}, {"check", "show", "picture"})
    belief, truth = reader.text(value, "belief"), reader.text(value, "truth")
    check = value.get("check")
    if check is not None:
        check = reader.key(check, "check", reader.known.checks, "lessons/checks", "check")
    state = value.get("show", value.get("picture"))
    show = reader.show(state) if state is not None else None
    if check is None and show is None:
        raise reader.fail("nothing corrects this belief", "Add check: key, or show: {preset: …}")
    text = markdown.plain_text(f"{belief} {truth}")
    return Misconception(markdown.inline(belief), markdown.block(truth), check, show, text)


KINDS: dict[str, Callable[[Reader], Block]] = {
    "derive": _derive,
    "check": _check,
    "predict": _predict,
    "vote": _vote,
    "worked": _worked,
    "problem": _problem,
    "show": _show,
    "picture": _picture,
    "figure": _figure,
    "levels": _levels,
    "wrong": _wrong,
}
