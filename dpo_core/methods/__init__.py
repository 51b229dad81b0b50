"""Every method, one file each. A new one is a file with ``METHOD`` and a line here."""

from types import ModuleType

from dpo_core.methods import (
    aot,
    aot_unpaired,
    apo_down,
    apo_zero,
    bco_pair,
    best_of_n,
    cdpo,
    discopop,
    dpo,
    dpop,
    exo_pair,
    hinge,
    ipo,
    kto,
    nca_pair,
    online_dpo,
    orpo,
    pg,
    plackett_luce,
    ppo,
    rejection,
    reward_model,
    robust,
    sft,
    simpo,
    slic,
    sppo_hard,
    unlikelihood,
)
from dpo_core.methods.method import Method, Objective, Value

# In the order in which a chooser offers them.
_MODULES: tuple[ModuleType, ...] = (
    dpo,
    ipo,
    cdpo,
    robust,
    hinge,
    slic,
    dpop,
    simpo,
    orpo,
    kto,
    unlikelihood,
    sft,
    plackett_luce,
    exo_pair,
    nca_pair,
    bco_pair,
    sppo_hard,
    aot,
    aot_unpaired,
    apo_zero,
    apo_down,
    discopop,
    pg,
    ppo,
    reward_model,
    online_dpo,
    rejection,
    best_of_n,
)
METHODS: dict[str, Method] = {module.METHOD.name: module.METHOD for module in _MODULES}


def method_of(objective: Objective) -> Method:
    """The method that an objective names."""
    return METHODS[objective.name]


def configured(name: str = "dpo", **settings: Value) -> Objective:
    """A method, with its defaults where nothing is said. Raises KeyError for an unknown name or setting."""
    known = {s.key: s.default for s in METHODS[name].settings}
    for key in settings:
        if key not in known:
            raise KeyError(f"{name} has no setting {key!r}")
    return Objective(name, tuple({**known, **settings}.items()))
