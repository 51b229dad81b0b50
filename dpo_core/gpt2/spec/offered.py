"""Which models the operator of a served class lets people choose. Needs no torch, so pages ask it too."""

import os

ALLOWED_VARIABLE = "DPO_LAB_MODELS"


def allowed_models() -> tuple[str, ...] | None:
    """The operator's list (names, separated by commas), or None where any model may be loaded."""
    listed = os.environ.get(ALLOWED_VARIABLE)
    if listed is None:
        return None
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def is_allowed(name: str) -> bool:
    """Whether the operator lets this model be loaded."""
    allowed = allowed_models()
    return allowed is None or name in allowed
