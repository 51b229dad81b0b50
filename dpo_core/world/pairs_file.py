"""Preference pairs as JSONL: one pair per line, in any of the shapes that public data sets use.

- ``{"prompt": "…", "chosen": "…", "rejected": "…"}``, as TRL reads them;
- conversational: the same keys holding lists of ``{"role", "content"}``, ``prompt`` given or implied by
  the messages that both sides share;
- dialogues as in HH-RLHF: ``chosen`` and ``rejected`` are whole transcripts with "\\n\\nHuman:" and
  "\\n\\nAssistant:" that share their beginning.
"""

import json
import os.path
from typing import Any

from dpo_core.errors import ScenarioError
from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.world.reading import check_list, check_share, check_text, decode_json, kind_of

MAX_PAIRS = 10_000
ASSISTANT = "\n\nAssistant:"
EXAMPLE = '{"prompt": "…", "chosen": "…", "rejected": "…"}'


def parse_pairs(text: str, source: str) -> Preferences:
    """The pairs of ``text``, line by line; ``source`` names it in errors.

    Lines with the same prompt text share one Prompt, whose replies are the distinct texts in the order in
    which they appear; the reference is uniform over them. An optional ``agreement`` in [0, 1] is kept;
    other keys are passed over, as data sets carry many. Raises ScenarioError naming the line.
    """
    replies: dict[str, list[str]] = {}
    found: list[tuple[str, str, str, float]] = []
    # not splitlines(): JSON strings may hold U+2028 and its kind unescaped
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{source}, line {number}"
        if len(found) == MAX_PAIRS:
            raise ScenarioError(where, f"there are more than {MAX_PAIRS} pairs", "Leave some lines out")
        prompt, chosen, rejected, agreement = _pair(line, where)
        known = replies.setdefault(prompt, [])
        known += [reply for reply in (chosen, rejected) if reply not in known]
        found.append((prompt, chosen, rejected, agreement))
    if not found:
        raise ScenarioError(source, "holds no pairs", f"Write one pair per line: {EXAMPLE}")
    order = {prompt: i for i, prompt in enumerate(replies)}
    return Preferences(
        tuple(Prompt(p, tuple(known), (1 / len(known),) * len(known)) for p, known in replies.items()),
        tuple(
            Comparison(order[p], replies[p].index(chosen), replies[p].index(rejected), agreement)
            for p, chosen, rejected, agreement in found
        ),
    )


def preferences_to_pairs(preferences: Preferences) -> str:
    """JSONL with one line per comparison, which ``parse_pairs`` reads back.

    Pairs hold neither reference probabilities nor features, nor replies that nobody compared.
    """
    lines = []
    for comparison in preferences.comparisons:
        prompt = preferences.prompts[comparison.prompt]
        pair: dict[str, Any] = {
            "prompt": prompt.text,
            "chosen": prompt.replies[comparison.chosen],
            "rejected": prompt.replies[comparison.rejected],
        }
        if comparison.agreement != 1.0:
            pair["agreement"] = comparison.agreement
        lines.append(json.dumps(pair, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines)


def _pair(line: str, where: str) -> tuple[str, str, str, float]:
    try:
        entry = decode_json(line)
    except json.JSONDecodeError as error:
        raise ScenarioError(
            f"{where}, column {error.colno}", f"not JSON ({error.msg})", f"Write one pair per line: {EXAMPLE}"
        ) from None
    except RecursionError:
        raise ScenarioError(where, "is nested too deeply", f"Write one pair per line: {EXAMPLE}") from None
    if not isinstance(entry, dict):
        raise ScenarioError(where, f"expected an object {{…}}, found {kind_of(entry)}", f"Write {EXAMPLE}")
    for key in ("chosen", "rejected"):
        if key not in entry:
            raise ScenarioError(f"{where}, {key}", "is missing", f"Add it: {EXAMPLE}")
    agreement = check_share(entry.get("agreement", 1.0), f"{where}, agreement")
    if isinstance(entry["chosen"], list) != isinstance(entry["rejected"], list):
        raise ScenarioError(
            f"{where}, rejected",
            f"is {kind_of(entry['rejected'])} while chosen is {kind_of(entry['chosen'])}",
            "Write both as text, or both as lists of messages",
        )
    if isinstance(entry["chosen"], list):
        prompt, chosen, rejected = _conversation(entry, where)
    else:
        prompt, chosen, rejected = _texts(entry, where)
    if chosen == rejected:
        raise ScenarioError(
            f"{where}, rejected", "chosen and rejected are the same text", "Compare two different replies"
        )
    for name, reply in (("chosen", chosen), ("rejected", rejected)):
        if not reply.strip():
            raise ScenarioError(
                f"{where}, {name}", "no reply is left after the prompt that both share", "Add the reply"
            )
    return prompt, chosen, rejected, agreement


def _texts(entry: dict[str, Any], where: str) -> tuple[str, str, str]:
    """Plain strings, with a prompt (TRL) or without one (a dialogue that both sides share at first)."""
    chosen = check_text(entry["chosen"], f"{where}, chosen")
    rejected = check_text(entry["rejected"], f"{where}, rejected")
    if entry.get("prompt") is not None:
        return _prompt_text(entry["prompt"], f"{where}, prompt"), chosen, rejected
    shared = os.path.commonprefix([chosen, rejected])  # noqa: RUF071 - character by character is meant
    end = shared.rfind(ASSISTANT) + len(ASSISTANT)
    if ASSISTANT not in shared:
        raise ScenarioError(
            f"{where}, prompt",
            "is missing, and chosen and rejected share no dialogue up to an \\n\\nAssistant: turn",
            f"Add it: {EXAMPLE}",
        )
    return shared[:end].strip(), chosen[end:].strip(), rejected[end:].strip()


def _conversation(entry: dict[str, Any], where: str) -> tuple[str, str, str]:
    """Lists of messages. What both sides share at first belongs to the prompt."""
    chosen = _messages(entry["chosen"], f"{where}, chosen")
    rejected = _messages(entry["rejected"], f"{where}, rejected")
    shared = 0
    while shared < min(len(chosen), len(rejected)) and chosen[shared] == rejected[shared]:
        shared += 1
    opening, given = chosen[:shared], entry.get("prompt")
    if isinstance(given, list):
        messages = _messages(given, f"{where}, prompt")
        opening = opening if opening[: len(messages)] == messages else messages + opening
    elif given is not None:  # some data sets repeat the first question as plain text
        question = ("user", check_text(given, f"{where}, prompt"))
        opening = opening if question in opening else [question, *opening]
    if not opening:
        raise ScenarioError(
            f"{where}, prompt",
            "is missing, and chosen and rejected share no first message",
            'Add "prompt", or begin both with the same message',
        )
    return _transcript(opening), _transcript(chosen[shared:]), _transcript(rejected[shared:])


def _prompt_text(value: Any, where: str) -> str:
    return _transcript(_messages(value, where)) if isinstance(value, list) else check_text(value, where)


def _messages(value: list[Any], where: str) -> list[tuple[str, str]]:
    found = []
    for i, message in enumerate(check_list(value, where, 1)):
        at = f"{where}[{i}]"
        if not isinstance(message, dict) or not {"role", "content"} <= message.keys():
            raise ScenarioError(at, "is not a message", 'Write {"role": "user", "content": "…"}')
        found.append(
            (
                check_text(message["role"], f"{at}.role").strip(),
                check_text(message["content"], f"{at}.content"),
            )
        )
    return found


def _transcript(messages: list[tuple[str, str]]) -> str:
    """One message as its own text; several as a dialogue in which each names who speaks."""
    if len(messages) == 1:
        return messages[0][1]
    return "\n\n".join(f"{role.capitalize()}: {content}" for role, content in messages)
