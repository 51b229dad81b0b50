"""What one visitor's GPT-2 page holds, and how each event from the browser changes it. No Streamlit here."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app.gpt2.jobs import Job, JobManager, Refused
from app.playground.state import DEFAULT_PRESET, Playground, open_preset
from dpo_core.errors import ScenarioError
from dpo_core.gpt2.spec import defaults
from dpo_core.gpt2.spec.run_config import (
    BUNDLED,
    RunConfig,
    bundled_preferences,
    run_config_from_json,
    run_config_to_json,
)
from dpo_core.preferences import Preferences
from dpo_core.world.intervention_file import intervention_from_json
from dpo_core.world.pairs_file import MAX_PAIRS, parse_pairs
from dpo_core.world.reading import check_list, check_object, check_text, check_whole
from dpo_core.world.scenario_file import scenario_to_json

# The fields of the form, and as a newcomer finds them: what a run does when nothing else is said.
FIELDS = (
    "model",
    "objective",
    "optimizer",
    "steps",
    "batch_size",
    "seed",
    "measure_every",
    "dtype",
    "device",
)
_STANDARD = run_config_to_json(RunConfig(Preferences((), ()), ()))
DEFAULTS: dict[str, Any] = {"data": BUNDLED, **{key: _STANDARD[key] for key in FIELDS}}
# What the form calls what the worker's configuration names otherwise.
FORM_WORDS = {
    "batch_size": "pairs per step",
    "measure_every": "measure every",
    "dtype": "number format",
    "optimizer.name": "optimizer",
    "optimizer.learning_rate": "learning rate",
    "objective.name": "method",
}
MAX_STEPS, MAX_TEXT = 5_000, 1_000_000
ACTIONS = ("pause", "resume", "step", "stop")


@dataclass(frozen=True)
class Gpt2:
    """The runs on screen (the older first), and what was last said or looked up for the visitor."""

    runs: tuple[str, ...] = ()
    notice: dict[str, str] | None = None
    preview: dict[str, Any] | None = None  # the pairs of the data that were last asked for


@dataclass(frozen=True)
class Desk:
    """What a handler may use besides the state."""

    manager: JobManager
    session: str
    offered: tuple[str, ...] | None
    playground: Playground | None


Handler = Callable[[Gpt2, dict[str, Any], Desk], Gpt2]


def handle_all(
    state: Gpt2, events: list[Any], desk: Desk, handlers: dict[str, Handler] | None = None
) -> Gpt2:
    """The state after a queue of events; what the last answer said is not said again."""
    state = replace(state, notice=None, preview=None)
    for event in events:
        state = _handle(state, event, desk, HANDLERS if handlers is None else handlers)
    return state


def _handle(state: Gpt2, event: Any, desk: Desk, handlers: dict[str, Handler]) -> Gpt2:
    """The state after one event. Whatever the browser sends, the answer is a state, never an exception."""
    kind = event.get("type") if isinstance(event, dict) else None
    handler = handlers.get(kind) if isinstance(kind, str) else None
    if handler is None:
        return _say(state, "Something unknown was sent. Reload the page.")
    try:
        return handler(state, event, desk)
    except ScenarioError as error:
        return _say(state, str(_in_words_of_the_form(error)), error.where)
    except Refused as error:
        return _say(state, str(error))
    except (KeyError, TypeError, ValueError, OverflowError):
        return _say(state, f"The request “{kind}” was incomplete. Reload the page.")


def _say(state: Gpt2, text: str, where: str = "") -> Gpt2:
    return replace(state, notice={"kind": "error", "text": text, "where": where})


def _in_words_of_the_form(error: ScenarioError) -> ScenarioError:
    where = FORM_WORDS.get(error.where, error.where.removeprefix("objective."))
    where = re.sub(r"^interventions\[\d+\]\.(flip|comparison)$", "flips", where)
    return ScenarioError(where, error.what, error.mend)


def _start(state: Gpt2, event: dict[str, Any], desk: Desk) -> Gpt2:
    """A new run, alone on screen; with ``compare`` the same run with the other sigma weight as well."""
    config = _config(event["draft"], desk)
    compare = bool(event.get("compare"))
    with desk.manager.replacing(desk.session, state.runs, 2 if compare else 1):
        first = desk.manager.submit(desk.session, config)
        runs = (first.id, _submit_twin(first, desk).id) if compare else (first.id,)
    return replace(state, runs=runs)


def _twin(state: Gpt2, event: dict[str, Any], desk: Desk) -> Gpt2:
    """The run on screen once more with the other sigma weight, after it has ended."""
    job = _own(state, event["run"], desk)
    others = [run for run in state.runs if run != job.id]
    for run in others:
        twin = desk.manager.jobs.get(run)
        if twin is not None and twin.twin_of == job.id and not twin.ended:
            return state  # a double click
    with desk.manager.replacing(desk.session, others):
        return replace(state, runs=(job.id, _submit_twin(job, desk).id))


def _submit_twin(job: Job, desk: Desk) -> Job:
    """The same run with the other sigma weight; of a method that has none, by DPO at the default settings."""
    objective = job.config["objective"]
    if "sigma_weight" in objective:
        other = {**objective, "sigma_weight": not objective["sigma_weight"]}
    else:
        other = DEFAULTS["objective"]
    config = {**job.config, "objective": other}
    return desk.manager.submit(desk.session, config, twin_of=job.id)


def adopt(state: Gpt2, event: dict[str, Any], desk: Desk) -> Gpt2:
    """A reloaded tab asks for the runs that it had."""
    found = [desk.manager.adopt(desk.session, str(run)) for run in event["runs"][:2]]
    return replace(state, runs=tuple(job.id for job in found if job is not None) or state.runs)


def tell(state: Gpt2, event: dict[str, Any], desk: Desk) -> Gpt2:
    job = _own(state, event["run"], desk)
    action = str(event["action"])
    if action not in ACTIONS:
        raise ValueError(action)
    message: dict[str, Any] = {"type": action}
    if action == "step":
        message["count"] = check_whole(event.get("count", 1), "steps", 1, 100)
    if not desk.manager.tell(job.id, message) and not job.ended:
        return _say(state, "This run has not begun: it waits for its turn.")
    return state


def _intervene(state: Gpt2, event: dict[str, Any], desk: Desk) -> Gpt2:
    job = _own(state, event["run"], desk)
    change = str(event["change"])
    if change == "flip":
        entry: dict[str, Any] = {"flip": event["comparison"]}
    elif change == "agreement":
        entry = {"comparison": event["comparison"], "agreement": event["value"]}
    else:
        entry = {change: event["value"]}
    intervention_from_json({"step": 0, **entry}, "change", job.config["steps"], {"comparison": MAX_PAIRS})
    if not desk.manager.tell(job.id, {"type": "intervene", **entry}):
        if job.twin_of is not None and job.state == "queued":
            return _say(state, "The second run repeats the first one's changes. Make the change there.")
        return _say(state, "This run is not under way: the change was not made. Start it again.")
    return state


def _watch(state: Gpt2, event: dict[str, Any], desk: Desk) -> Gpt2:
    job = _own(state, event["run"], desk)
    desk.manager.watch(job.id, [_reply(entry) for entry in check_list(event["texts"], "texts", 0)[:2]])
    return state


def _reply(entry: Any) -> dict[str, Any]:
    """One reply to be read token by token; a sample brings the tokens as they were drawn."""
    prompt, reply, *tokens = check_list(entry, "texts", 2)
    if tokens:
        sampled = [check_whole(t, "tokens", 0, 2**31) for t in check_list(tokens[0], "tokens", 1)]
        return {"prompt": check_text(prompt, "prompt"), "reply": str(reply), "sampled": sampled}
    return {"prompt": check_text(prompt, "prompt"), "reply": check_text(reply, "reply")}


def _preview(state: Gpt2, event: dict[str, Any], desk: Desk) -> Gpt2:
    """Read the chosen data, so that its pairs can be seen, and flipped, before anything starts."""
    found = preferences(event["draft"], desk)
    prompts = found.prompts
    pairs = [
        [p.text, p.replies[c.chosen], p.replies[c.rejected], c.agreement]
        for c in found.comparisons
        for p in (prompts[c.prompt],)
    ]
    return replace(state, preview={"data": str(event["draft"]["data"]), "pairs": pairs})


def _own(state: Gpt2, run: Any, desk: Desk) -> Job:
    job = desk.manager.jobs.get(str(run))
    if job is None or job.id not in state.runs:
        raise Refused("This run is over and gone. Start a new one.")
    return job


def check_model(value: Any, desk: Desk) -> str:
    """The model's name. Raises ScenarioError for one that the operator does not offer."""
    model = check_text(value, "model").strip()
    if desk.offered is not None and model not in desk.offered:
        raise ScenarioError(
            "model", f"{model[:80]!r} is not offered here", f"Choose one of {', '.join(desk.offered)}"
        )
    return model


def _config(draft: Any, desk: Desk) -> dict[str, Any]:
    """The draft as the worker's configuration. Raises ScenarioError at the first thing wrong."""
    entry = check_object(draft, "settings", set(DEFAULTS), {"text", "flips", "agreements"})
    flips = [{"step": 0, "flip": flip} for flip in check_list(entry.get("flips", []), "flips", 0)]
    agreements = [
        {"step": 0, "comparison": int(i), "agreement": share}
        for i, share in dict(entry.get("agreements", {})).items()
    ]
    asked = {key: entry[key] for key in FIELDS}
    asked |= {"model": check_model(entry["model"], desk), "interventions": flips + agreements}
    for key in ("steps", "measure_every"):  # narrower here than on the command line
        check_whole(entry[key], key, 1, MAX_STEPS)
    written = run_config_to_json(run_config_from_json(asked, preferences(entry, desk)))
    return {**{key: written[key] for key in (*FIELDS, "interventions")}, "data": _data(entry, desk)}


def _data(entry: dict[str, Any], desk: Desk) -> Any:
    if entry["data"] == "jsonl":
        return {"jsonl": entry["text"]}
    if entry["data"] == "playground":
        return {"scenario": world(desk)}
    return BUNDLED


def preferences(entry: dict[str, Any], desk: Desk) -> Preferences:
    """The pairs of a draft's data. Raises ScenarioError at the first thing wrong with them."""
    kind = entry["data"]
    if kind == BUNDLED:
        found = bundled_preferences()
    elif kind == "playground":
        found = _labels_at_playhead(playground(desk))
    elif kind == "jsonl":
        text = entry.get("text", "")
        if not isinstance(text, str) or not text.strip():
            raise ScenarioError("pairs", "nothing has been pasted", "Paste JSONL lines or open a file")
        if len(text) > MAX_TEXT:
            raise ScenarioError("pairs", "is larger than 1 MB", "Use fewer pairs")
        found = parse_pairs(text, "the pairs")
    else:
        raise ScenarioError("data", f"{str(kind)[:40]!r} is not known", "Choose one of those offered")
    return found


def playground(desk: Desk) -> Playground:
    """The visitor's own, or the one that a first visit would open."""
    return desk.playground or open_preset(DEFAULT_PRESET)


def _labels_at_playhead(here: Playground) -> Preferences:
    segments = [s for s in here.trajectory.segments if s.start <= here.step]
    return replace(here.scenario.preferences, comparisons=segments[-1].rules.comparisons)


def world(desk: Desk) -> dict[str, Any]:
    """The Playground's world as a scenario document, with the labels at its playhead."""
    here = playground(desk)
    labels = _labels_at_playhead(here)
    return scenario_to_json(replace(here.scenario, preferences=labels, interventions=()))


def payload(state: Gpt2, desk: Desk, acknowledged: dict[str, int], usual: dict[str, Any] = DEFAULTS) -> str:
    """The JSON that the page's script gets."""
    jobs = [desk.manager.jobs[run] for run in state.runs if run in desk.manager.jobs]
    document = {
        "acknowledged": acknowledged,
        "runs": [{"id": job.id, "config": _public(job.config)} for job in jobs],
        "offered": desk.offered,
        "defaults": usual,
        "rates": {"shipped": defaults.SHIPPED_RATES, "other": defaults.OTHER_RATES},
        "notice": state.notice,
        "preview": state.preview,
    }
    return json.dumps(document, allow_nan=False)


def _public(config: dict[str, Any]) -> dict[str, Any]:
    data = config["data"]
    return {**config, "data": data if isinstance(data, str) else next(iter(data))}


HANDLERS: dict[str, Handler] = {
    "start": _start,
    "twin": _twin,
    "adopt": adopt,
    "tell": tell,
    "intervene": _intervene,
    "watch": _watch,
    "preview": _preview,
}
