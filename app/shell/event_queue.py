"""The queue of numbered events that a component repeats until each is acknowledged."""

from typing import Any

MAX_QUEUE = 200


def fresh_events(queue: Any, seen: dict[str, int]) -> tuple[list[Any], dict[str, int]]:
    """The events not seen yet, and what has been seen with them.

    A queue is ``{"client": id, "events": [[number, event], …]}``. The browser repeats what was not
    acknowledged, so a number that was seen is skipped: none is lost, none is done twice. Anything else
    that a client may send is ignored.
    """
    if not isinstance(queue, dict) or not isinstance(queue.get("events"), list):
        return [], seen
    client = str(queue.get("client"))[:40]
    last = seen.get(client, -1)
    fresh = [e for e in queue["events"][:MAX_QUEUE] if _numbered(e) and e[0] > last]
    if not fresh:
        return [], seen
    return [e[1] for e in fresh], {client: max(e[0] for e in fresh)}


def _numbered(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], int)
