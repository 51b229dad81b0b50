"""What scripts need to know and Python decides: served as facts.json beside the assets."""

from typing import Any

from app.gpt2.gpt2_session import MAX_STEPS as MOST_GPT2_STEPS
from app.gpt2.jobs import ENDED
from app.playground.state import MOST_COMPARED
from dpo_core.glossary import GLOSSARY
from dpo_core.glossary.method_terms import method_key
from dpo_core.gpt2.spec import defaults
from dpo_core.gpt2.spec.run_config import trainable
from dpo_core.methods import METHODS
from dpo_core.methods.method import Method, Setting
from dpo_core.world.scenario import MAX_SEED, MAX_STEPS
from lessons.library import lessons


def facts() -> dict[str, Any]:
    """The limits and lists that forms and records go by."""
    return {
        "max_steps": MAX_STEPS,
        "first_lesson": next(iter(lessons())),
        "max_seed": MAX_SEED,
        "most_compared": MOST_COMPARED,
        "methods": {name: _method(method) for name, method in METHODS.items()},
        "gpt2": {
            "ended": ENDED,
            "max_steps": MOST_GPT2_STEPS,
            "methods": trainable(),
            "models": defaults.MODELS,
            "dtypes": defaults.DTYPES,
            "devices": defaults.DEVICES,
            "optimizers": tuple(defaults.OTHER_RATES),
            "max_batch": defaults.MAX_BATCH,
            "max_seed": defaults.MAX_SEED,
        },
    }


def _method(method: Method) -> dict[str, Any]:
    """What a page needs to offer a method, draw its settings and plot its readings."""
    readings = [
        {"key": r.key, "label": GLOSSARY[r.key].label, "symbol": GLOSSARY[r.key].symbol, "zero": r.from_zero}
        for r in method.readings
    ]
    return {
        "title": method.title,
        "term": method_key(method.name),
        "asks": method.asks,
        "draws": method.asks == "draws",
        "settings": [_setting(setting) for setting in method.settings],
        "readings": readings,
    }


def _setting(setting: Setting) -> dict[str, Any]:
    term = GLOSSARY[setting.term]
    return {
        "key": setting.key,
        "term": setting.term,
        "label": "σ weight" if setting.key == "sigma_weight" else term.symbol,
        "name": term.label,
        "scale": setting.scale,
        "default": setting.default,
        "low": setting.slider[0],
        "high": setting.slider[1],
        "choices": setting.choices,
    }
