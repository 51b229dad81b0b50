"""The fold against float64 autograd through the whole loss, step by step, with interventions."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.spec.training_settings import TrainingSettings
from dpo_core.gpt2.training.reference import ReferenceLogProbs, check_start
from dpo_core.gpt2.training.replies import reply_texts
from dpo_core.indices import pair_indices
from dpo_core.methods import configured
from dpo_core.world.scenario import Intervention, Optimizer
from tests.gpt2.tiny import tiny_model, tiny_policy, tiny_preferences, tiny_trainer

SGD = Optimizer("sgd", 0.02)
FULL = TrainingSettings(configured("dpo", beta=0.3), SGD, steps=8, batch_size=0)
CHANGES = (
    Intervention(2, "flip", comparison=1),
    Intervention(3, "beta", 0.8),
    Intervention(4, "agreement", 0.7, comparison=2),
    Intervention(5, "sigma_weight", 0.0),
    Intervention(6, "learning_rate", 0.005),
)


def plain_log_probs(model, sequences):
    rows = []
    for s in sequences:
        ids = torch.tensor([[*s.prompt, *s.reply]])
        tokens = model(ids).logits[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
        rows.append(tokens[len(s.prompt) - 1 :].sum())
    return torch.stack(rows)


def plain_loss(logps, reference, chosen, rejected, beta, agreement, sigma):
    u = beta * ((logps[chosen] - reference[chosen]) - (logps[rejected] - reference[rejected]))
    if sigma:
        losses = -agreement * functional.logsigmoid(u) - (1 - agreement) * functional.logsigmoid(-u)
    else:
        losses = -(2 * agreement - 1) * u
    return losses.mean(), u


def test_the_fold_is_autograd_through_the_loss_with_every_intervention():
    settings = TrainingSettings(FULL.objective, SGD, 8, 0, interventions=CHANGES)
    trainer = tiny_trainer(settings)
    model = tiny_model().double().eval()
    preferences = tiny_preferences()
    chosen, rejected = map(list, pair_indices(preferences.starts, preferences.comparisons))
    agreement = torch.ones(len(chosen), dtype=torch.float64)
    reference = plain_log_probs(model, trainer.sequences).detach()
    beta, sigma, rate = 0.3, True, 0.02
    for step in range(9):
        if step == 2:
            chosen[1], rejected[1] = rejected[1], chosen[1]
        beta = 0.8 if step >= 3 else beta
        if step == 4:
            agreement[2] = 0.7
        sigma = sigma and step < 5
        rate = 0.005 if step >= 6 else rate
        logps = plain_log_probs(model, trainer.sequences)
        loss, u = plain_loss(logps, reference, chosen, rejected, beta, agreement, sigma)
        report = trainer.advance()
        assert report.metrics["loss"] == pytest.approx(loss.item(), abs=1e-11)
        assert report.metrics["rewards/margins"] == pytest.approx(u.mean().item(), abs=1e-10)
        assert report.metrics["rewards/accuracies"] == pytest.approx((u > 1e-12).double().mean().item())
        assert report.metrics["logps/chosen"] == pytest.approx(logps[chosen].mean().item(), abs=1e-10)
        assert report.metrics["logps/rejected"] == pytest.approx(logps[rejected].mean().item(), abs=1e-10)
        expected_weight = torch.sigmoid(-u).mean().item() if sigma else 1.0
        assert report.metrics["sigma_weight"] == pytest.approx(expected_weight, abs=1e-10)
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= rate * p.grad if step < 8 else 0.0
    for (name, ours), theirs in zip(trainer.policy.model.named_parameters(), model.parameters(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-11), name
    assert trainer.done


@pytest.mark.parametrize("sigma", [True, False])
@pytest.mark.parametrize("beta", [0.05, 1.0, 5.0])
def test_the_gradient_of_every_parameter_tensor(beta, sigma):
    """Coefficients pulled back = float64 autograd through the loss, away from step 0."""
    objective = configured("dpo", beta=beta, sigma_weight=sigma)
    trainer = tiny_trainer(TrainingSettings(objective, Optimizer("sgd", 0.05), 3, 0))
    for _ in range(3):
        trainer.advance()
    model = tiny_model().double().eval()
    model.load_state_dict(trainer.policy.model.state_dict())
    trainer._pass(np.arange(6), update=True)  # leaves its gradient behind
    reference = plain_log_probs(tiny_model().double().eval(), trainer.sequences).detach()
    preferences = tiny_preferences()
    chosen, rejected = pair_indices(preferences.starts, preferences.comparisons)
    logps = plain_log_probs(model, trainer.sequences)
    loss, _ = plain_loss(logps, reference, chosen, rejected, beta, torch.ones(6).double(), sigma)
    loss.backward()
    for (name, ours), theirs in zip(trainer.policy.model.named_parameters(), model.parameters(), strict=True):
        scale = theirs.grad.abs().max()
        assert (ours.grad - theirs.grad).abs().max() <= 1e-10 * scale, name


@pytest.mark.parametrize(
    ("objective", "rate"),  # from |c| at h = 0: β/2 under DPO, |dL/dh| = 1/β under IPO
    [
        (configured("dpo", beta=1.0), 0.1 * 0.2 / 0.5),
        (configured("dpo", beta=0.8, sigma_weight=False), 0.1 * 0.2 / 0.4),  # the switch moves no rate
        (configured("dpo", beta=0.1), 0.1),
        (configured("ipo", beta=0.5), 0.1 * 0.2 / 2.0),
    ],
)
def test_sgds_rate_is_bounded_by_the_size_of_the_coefficients_at_the_start(objective, rate):
    trainer = tiny_trainer(TrainingSettings(objective, Optimizer("sgd", 0.1), 1, 0, standard_pull=0.2))
    assert trainer.advance().metrics["learning_rate"] == pytest.approx(rate, rel=1e-12)
    adamw = tiny_trainer(TrainingSettings(objective, Optimizer("adamw", 0.1), 1, 0, standard_pull=0.2))
    assert adamw.advance().metrics["learning_rate"] == 0.1


def test_the_first_step_is_the_same_for_every_large_beta():
    moved = []
    for beta in (0.5, 1.0):
        trainer = tiny_trainer(
            TrainingSettings(configured("dpo", beta=beta), Optimizer("sgd", 0.1), 2, 0, standard_pull=0.2)
        )
        trainer.advance()
        moved.append(torch.cat([p.detach().flatten() for p in trainer.policy.model.parameters()]))
    start = torch.cat([p.detach().flatten() for p in tiny_policy("float64").model.parameters()])
    assert torch.allclose(*moved, rtol=1e-10, atol=1e-12) and (moved[0] - start).abs().max() > 1e-4


def test_a_run_that_overflows_goes_on_from_its_last_sound_step():
    trainer = tiny_trainer(TrainingSettings(configured("dpo", beta=0.5), Optimizer("sgd", 1e200), 4, 0))
    trainer.advance()
    trainer.rules = trainer.rules.after(Intervention(0, "learning_rate", value=1e-2))
    reports = [trainer.advance() for _ in range(4)]
    assert [report.metrics["learning_rate"] for report in reports] == [5e-3] * 4
    assert trainer.notices == [
        "The numbers overflowed at step 1: the run goes on from its policy of step 0, with half the learning "
        "rate (0.005)."
    ]
    assert reports[0].metrics["loss"] == pytest.approx(math.log(2), abs=1e-12)  # the kept policy is the start
    assert trainer.done


def test_adamw_is_torchs_adamw_on_the_autograd_gradient():
    settings = TrainingSettings(configured("dpo", beta=0.5), Optimizer("adamw", 3e-3), 6, 0)
    trainer = tiny_trainer(settings)
    model = tiny_model().double().eval()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0, foreach=False)
    reference = plain_log_probs(model, trainer.sequences).detach()
    chosen, rejected = pair_indices(tiny_preferences().starts, tiny_preferences().comparisons)
    for _ in range(6):
        trainer.advance()
        optimizer.zero_grad()
        logps = plain_log_probs(model, trainer.sequences)
        plain_loss(logps, reference, chosen, rejected, 0.5, torch.ones(6).double(), True)[0].backward()
        optimizer.step()
    for (name, ours), theirs in zip(trainer.policy.model.named_parameters(), model.parameters(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-7, atol=1e-9), name


def test_accumulated_micro_batches_give_the_same_step():
    whole = tiny_trainer(FULL)
    pieces = tiny_trainer(TrainingSettings(FULL.objective, SGD, 8, 0, micro_batch_tokens=30))
    assert len(pieces._pieces(*pair_indices(pieces.starts, pieces.rules.comparisons))) > 2
    for _ in range(5):
        a, b = whole.advance(), pieces.advance()
        assert a.metrics == pytest.approx(b.metrics, abs=1e-10)
    for p, q in zip(whole.policy.model.parameters(), pieces.policy.model.parameters(), strict=True):
        assert torch.allclose(p, q, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_every_reward_is_zero_at_step_0(dtype):
    trainer = tiny_trainer(FULL, dtype)
    computed = trainer.policy.sequence_log_probs(trainer.sequences).detach().numpy()
    tolerance = {"float64": 1e-12, "float32": 5e-5, "bfloat16": 0.3}[dtype]
    assert computed == pytest.approx(trainer.reference.of(np.arange(len(computed))), abs=tolerance)
    metrics = trainer.advance().metrics
    assert metrics["loss"] == pytest.approx(np.log(2), abs=1e-15)
    assert metrics["rewards/chosen"] == metrics["rewards/rejected"] == metrics["rewards/margins"] == 0.0
    assert metrics["rewards/accuracies"] == 0.0  # rounding is no preference


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_order():
    def weights(seed):
        settings = TrainingSettings(configured("dpo", beta=0.1), Optimizer("adamw", 1e-3), 12, 4, seed)
        trainer = tiny_trainer(settings, "float32")
        batches = [tuple(trainer.advance().batch) for _ in range(12)]
        return batches, torch.cat([p.detach().flatten() for p in trainer.policy.model.parameters()])

    (order, first), (again, second), (other, third) = weights(0), weights(0), weights(1)
    assert order == again and torch.equal(first, second)
    assert order != other and not torch.equal(first, third)
    epoch = [i for batch in order[:3] for i in batch]
    assert sorted(epoch) == sorted([*range(6), *range(6)])  # two whole epochs of six


def test_a_stored_reference_of_another_model_is_noticed_and_not_used(tmp_path):
    preferences = tiny_preferences()
    path = tmp_path / "reference.json"
    theirs = tiny_policy(seed=1)
    sequences = theirs.encode_all(reply_texts(preferences))
    stored = ReferenceLogProbs(theirs, sequences)
    everything = np.arange(len(sequences))
    stored.of(everything)
    stored.save(path)

    again = ReferenceLogProbs(tiny_policy(seed=1), sequences)
    again.load(path)
    assert again.notices == []
    assert np.array_equal(again._values, stored._values)

    mine = ReferenceLogProbs(tiny_policy(seed=0), sequences)
    mine.load(path)
    assert "belong to another model" in mine.notices[0]
    fresh = tiny_policy(seed=0).sequence_log_probs(sequences).tolist()
    assert mine.of(everything) == pytest.approx(fresh, abs=1e-4)

    path.write_text("{")
    broken = ReferenceLogProbs(tiny_policy(), sequences)
    broken.load(path)
    assert "cannot be read" in broken.notices[0]


def test_training_does_not_start_from_a_stale_reference():
    trainer = tiny_trainer(FULL, "float32")
    replies = np.arange(len(trainer.sequences))
    trainer.reference.of(replies)
    trainer.reference._values[3] += 0.01
    with pytest.raises(ScenarioError, match="at step 0 a policy log-prob"):
        trainer.advance()
    with pytest.raises(ScenarioError):
        check_start("float64", np.array([1.0]), np.array([np.nan]))


def test_numbers_that_leave_the_floats_are_one_clear_error():
    trainer = tiny_trainer(
        TrainingSettings(configured("dpo", beta=1.0), Optimizer("sgd", 1e6), 50, 0), "float32"
    )
    with pytest.raises(ScenarioError, match="the numbers overflow at step"):
        while not trainer.done:
            trainer.advance()


def test_margins_of_the_table_follow_the_rules_in_force():
    trainer = tiny_trainer(TrainingSettings(FULL.objective, SGD, 8, 2))
    batch = trainer.advance().batch
    trainer.advance()
    margins, weights = trainer.comparison_margins()
    unseen = [i for i in range(6) if i not in batch]
    assert np.isfinite(margins[batch]).all() and np.isnan(margins[unseen]).any()
    trainer.intervene(Intervention(0, "flip", comparison=int(batch[0])))
    trainer.intervene(Intervention(0, "beta", 0.6))
    flipped, heavier = trainer.comparison_margins()
    assert flipped[batch[0]] == pytest.approx(-2 * margins[batch[0]], abs=1e-12)
    assert heavier[batch[1]] == pytest.approx(1 / (1 + np.exp(2 * margins[batch[1]])), abs=1e-12)
    assert weights[batch[1]] == pytest.approx(1 / (1 + np.exp(margins[batch[1]])), abs=1e-12)
