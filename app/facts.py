"""What scripts need to know and Python decides: served as facts.json beside the assets."""

from typing import Any

from app.gpt2.jobs import ENDED
from dpo_core.gpt2.spec import defaults
from dpo_core.world.scenario import MAX_STEPS


def facts() -> dict[str, Any]:
    """The limits and lists that forms and records go by."""
    return {
        "max_steps": MAX_STEPS,
        "gpt2": {
            "ended": ENDED,
            "models": defaults.MODELS,
            "dtypes": defaults.DTYPES,
            "devices": defaults.DEVICES,
            "optimizers": tuple(defaults.OTHER_RATES),
            "max_batch": defaults.MAX_BATCH,
            "max_seed": defaults.MAX_SEED,
        },
    }
