"""Worlds for the tests: hypothesis strategies for scenarios of every kind, small enough to be quick."""

from hypothesis import strategies as st

from dpo_core.methods import configured
from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.world.scenario import Intervention, Optimizer, Scenario

SHARES = st.sampled_from([0.0, 0.2, 0.5, 0.75, 1.0, 1.0, 1.0])
BETAS = st.sampled_from([0.01, 0.1, 0.5, 1.0, 2.0, 10.0])
RATES = st.sampled_from([0.03, 0.3, 1.0, 3.0])


@st.composite
def prompts(draw, width=None, reward=False):
    size = draw(st.integers(2, 4))
    weights = draw(st.lists(st.integers(1, 20), min_size=size, max_size=size))
    vector = st.tuples(*[st.integers(-4, 4).map(lambda n: n / 4)] * (width or 0))
    return Prompt(
        draw(st.text(min_size=1, max_size=5).filter(str.strip)),
        tuple(f"reply {k}" for k in range(size)),
        tuple(w / sum(weights) for w in weights),
        tuple(draw(vector) for _ in range(size)) if width else None,
        tuple(draw(st.integers(-20, 20)) / 10 for _ in range(size)) if reward else None,
    )


@st.composite
def preferences(draw, features=None, shares=SHARES, most_comparisons=6):
    """Ragged prompts, with shared features or without (``features`` None: either)."""
    width = (
        draw(st.integers(1, 3)) if draw(st.booleans() if features is None else st.just(features)) else None
    )
    reward = draw(st.booleans())
    world = draw(st.lists(prompts(width=width, reward=reward), min_size=1, max_size=3))
    comparisons = []
    for _ in range(draw(st.integers(1, most_comparisons))):
        prompt = draw(st.integers(0, len(world) - 1))
        chosen, rejected = draw(st.permutations(range(len(world[prompt].replies))))[:2]
        comparisons.append(Comparison(prompt, chosen, rejected, draw(shares)))
    return Preferences(tuple(world), tuple(comparisons))


@st.composite
def interventions(draw, steps, comparisons):
    step, which = draw(st.integers(0, steps)), draw(st.integers(0, comparisons - 1))
    match draw(st.sampled_from(["flip", "agreement", "beta", "learning_rate", "sigma_weight"])):
        case "flip":
            return Intervention(step, "flip", comparison=which)
        case "agreement":
            return Intervention(step, "agreement", draw(SHARES), which)
        case "beta":
            return Intervention(step, "beta", draw(BETAS))
        case "learning_rate":
            return Intervention(step, "learning_rate", draw(RATES))
    return Intervention(step, "sigma_weight", float(draw(st.booleans())))


@st.composite
def scenarios(draw, most_steps=20, most_interventions=5, **world):
    made = draw(preferences(**world))
    steps = draw(st.integers(1, most_steps))
    changes = st.lists(interventions(steps, len(made.comparisons)), max_size=most_interventions)
    return Scenario(
        made,
        configured("dpo", beta=draw(BETAS), sigma_weight=draw(st.booleans())),
        Optimizer("sgd", draw(RATES)),
        steps,
        tuple(draw(changes)),
    )
