"""Twenty steps against TRL's DPOTrainer: the shipped model, bundled pairs, float32, metric by metric."""

import numpy as np
import pytest

from benchmarks import trl_side
from dpo_core.gpt2.model.loading import load_policy
from dpo_core.gpt2.spec.run_config import bundled_preferences
from dpo_core.gpt2.spec.training_settings import TrainingSettings
from dpo_core.gpt2.training.reference import ReferenceLogProbs
from dpo_core.gpt2.training.replies import reply_texts
from dpo_core.gpt2.training.trainer import Trainer
from dpo_core.methods import configured
from dpo_core.toy.metrics import PER_STEP
from dpo_core.world.scenario import Optimizer

STEPS, BATCH, RATE = 20, 8, 1e-4
# float32 log-probs near −20 are spaced 2e-6 apart; two orders of summation and 20 AdamW steps differ by this.
ROUNDING = 2e-5


def bundled_pairs(count: int) -> list[dict[str, str]]:
    preferences = bundled_preferences()
    return [
        {
            "prompt": preferences.prompts[c.prompt].text,
            "chosen": preferences.prompts[c.prompt].replies[c.chosen],
            "rejected": preferences.prompts[c.prompt].replies[c.rejected],
        }
        for c in preferences.comparisons[:count]
    ]


@pytest.mark.parametrize("beta", [0.05, 0.1, 1.0, 5.0])
def test_every_metric_of_20_steps_is_trls(beta, tmp_path):
    base = load_policy("shipped")
    preferences = bundled_preferences()
    sequences = base.encode_all(reply_texts(preferences))
    theirs = trl_side.trl_trainer(base, bundled_pairs(STEPS * BATCH), beta, RATE, STEPS, BATCH, str(tmp_path))
    theirs.train()
    trl_side.free_logging()

    policy = base.frozen_copy()
    policy.model.requires_grad_(True)
    settings = TrainingSettings(configured("dpo", beta=beta), Optimizer("adamw", RATE), STEPS, BATCH)
    ours = Trainer(policy, ReferenceLogProbs(base.frozen_copy(), sequences), preferences, settings)
    ours._order = iter(np.arange(STEPS * BATCH).reshape(STEPS, BATCH))  # TRL's order: as they stand
    for step, expected in enumerate(trl_side.trl_metrics(theirs)):
        metrics = ours.advance().metrics
        for name in PER_STEP:
            scale = 1.0 if name.startswith("logps") else max(1.0, beta)
            assert metrics[name] == pytest.approx(expected[name], abs=ROUNDING * scale, rel=2e-6), (
                step,
                name,
            )
    assert abs(expected["rewards/margins"]) > 0.01 * beta  # the runs did move
