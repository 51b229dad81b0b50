"""One good scenario document, and the same with anything changed."""

import copy

GOOD = {
    "prompts": [
        {"text": "p", "replies": ["a", "b", "c"], "reference": [0.5, 0.3, 0.2]},
        {"text": "q", "replies": ["d", "e"], "reference": [0.9, 0.1]},
    ],
    "comparisons": [
        {"prompt": 0, "chosen": 0, "rejected": 1, "agreement": 1.0},
        {"prompt": 1, "chosen": 1, "rejected": 0},
    ],
    "objective": {"name": "dpo", "beta": 0.5, "sigma_weight": True},
    "optimizer": {"name": "sgd", "learning_rate": 1.0},
    "steps": 200,
    "interventions": [{"step": 60, "flip": 1}],
}
REMOVE = object()


def with_change(path, value):
    """GOOD with the value at ``path`` (keys and indices) replaced, added or removed."""
    document = copy.deepcopy(GOOD)
    *parents, last = path
    place = document
    for key in parents:
        place = place[key]
    if value is REMOVE:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return document
