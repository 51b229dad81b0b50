"""The fixed comparisons: their metrics against the paper's formula and Hugging Face's log-probs."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from dpo_core.gpt2.model.loading import load_policy
from dpo_core.gpt2.spec.run_config import bundled_preferences, held_out_preferences, run_config_from_json
from dpo_core.gpt2.spec.training_settings import TrainingSettings
from dpo_core.gpt2.training.evaluation import Evaluation, comparison_metrics
from dpo_core.gpt2.training.reference import ReferenceLogProbs
from dpo_core.gpt2.training.replies import reply_texts
from dpo_core.gpt2.training.run import Run
from dpo_core.methods import configured
from dpo_core.methods.method import Asked
from dpo_core.world.scenario import Intervention
from tests.gpt2.tiny import tiny_model, tiny_policy, tiny_preferences, tiny_trainer


def by_hand(beta, chosen, rejected, reference_chosen, reference_rejected, agreement):
    """Eq. 7 with a share of raters on either side, in torch, float64."""
    rows = [torch.from_numpy(np.asarray(row)) for row in (chosen, rejected)]
    others = [torch.from_numpy(np.asarray(row)) for row in (reference_chosen, reference_rejected)]
    rewards = [beta * (row - other) for row, other in zip(rows, others, strict=True)]
    margin, p = rewards[0] - rewards[1], torch.from_numpy(agreement)
    loss = -p * functional.logsigmoid(margin) - (1 - p) * functional.logsigmoid(-margin)
    return {
        "loss": loss.mean().item(),
        "rewards/chosen": rewards[0].mean().item(),
        "rewards/rejected": rewards[1].mean().item(),
        "rewards/margins": margin.mean().item(),
        "rewards/accuracies": (margin > 0).double().mean().item(),
        "logps/chosen": rows[0].mean().item(),
        "logps/rejected": rows[1].mean().item(),
        "sigma_weight": torch.sigmoid(-margin).mean().item(),
    }


def test_metrics_are_the_papers_formula():
    random = np.random.default_rng(0)
    chosen, rejected, reference_chosen, reference_rejected = -random.exponential(20, (4, 50))
    agreement = random.uniform(0.5, 1, 50)
    found = comparison_metrics(
        configured("dpo", beta=0.2, sigma_weight=True),
        Asked(
            np.stack([chosen, rejected]),
            np.stack([reference_chosen, reference_rejected]),
            np.ones((2, 50)),
            agreement,
        ),
    )
    expected = by_hand(0.2, chosen, rejected, reference_chosen, reference_rejected, agreement)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


def plain_log_probs(model, policy, texts):
    """One text at a time through the untouched network."""
    found = []
    for prompt, reply in texts:
        sequence = policy.encode(prompt, reply)
        ids = torch.tensor([[*sequence.prompt, *sequence.reply]])
        with torch.no_grad():
            tokens = model(ids).logits[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
        found.append(tokens[len(sequence.prompt) - 1 :].sum().item())
    return np.array(found)


@pytest.mark.parametrize("held_out", [True, False])
def test_an_evaluation_reads_its_own_comparisons(held_out):
    preferences = tiny_preferences()
    reference, policy = tiny_policy("float64", seed=0), tiny_policy("float64", seed=1)
    sequences = reference.encode_all(reply_texts(preferences))
    trainer = tiny_trainer(TrainingSettings(configured("dpo", beta=0.3, sigma_weight=True)))
    evaluation = Evaluation(
        ReferenceLogProbs(reference, sequences),
        preferences.starts,
        preferences.comparisons if held_out else None,
    )
    trainer.intervene(Intervention(0, "flip", comparison=1))
    found = evaluation.metrics(policy, trainer.rules)
    labels = list(preferences.comparisons)
    if not held_out:  # the run's own labels: a flip turns them, held-out ones stay
        labels[1] = labels[1].flipped()
    flat = reply_texts(preferences)
    texts = [
        [flat[preferences.starts[c.prompt] + getattr(c, side)] for c in labels]
        for side in ("chosen", "rejected")
    ]
    networks = [tiny_model(seed).double().eval() for seed in (1, 0)]
    rows = [plain_log_probs(network, reference, side) for network in networks for side in texts]
    expected = by_hand(0.3, *rows, np.ones(len(labels)))
    assert found == pytest.approx(expected, abs=1e-9)
    assert expected["rewards/margins"] != pytest.approx(0, abs=1e-3)


def test_bundled_runs_are_evaluated_on_pairs_that_they_do_not_train_on():
    trained = {prompt.text for prompt in bundled_preferences().prompts}
    assert not trained & {prompt.text for prompt in held_out_preferences().prompts}
    settings = {
        "steps": 4,
        "measure_every": 2,
        "samples": 2,
        "interventions": [{"step": 0, "beta": 0.1}, {"step": 2, "beta": 0.2}],
    }
    run = Run(run_config_from_json(settings), load_policy("shipped"))
    assert run.started()["evaluated"] == {"comparisons": 256, "held_out": True}
    messages = [message for _ in range(5) for message in run.advance()]
    first, middle, _ = (m for m in messages if m["type"] == "measured")
    assert first["eval_loss"] == pytest.approx(math.log(2), abs=1e-12)
    assert first["eval_rewards/accuracies"] == 0.0 and first["eval_rewards/chosen"] == 0.0
    # A change that is planned for a step is in force when the step is measured: rewards are β log π/π_ref.
    moved = middle["eval_logps/chosen"] - first["eval_logps/chosen"]
    assert middle["eval_rewards/chosen"] == pytest.approx(0.2 * moved, abs=1e-4)
    assert abs(moved) > 0.01
