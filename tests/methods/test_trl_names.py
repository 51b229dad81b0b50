"""Every loss that TRL's DPOTrainer and this core both have, on one batch of a tiny GPT-2."""

import numpy as np
import pytest

from benchmarks import trl_side
from dpo_core.gpt2.model.policy import Policy, all_log_probs
from dpo_core.gpt2.training.replies import reply_texts, token_counts
from dpo_core.indices import agreements, pair_indices
from dpo_core.methods import METHODS, configured
from dpo_core.methods.method import Asked
from tests.gpt2.tiny import tiny_model, tiny_preferences, tiny_tokenizer

EPSILON = {"robust": 0.2, "exo_pair": 0.2, "aot": 0.2, "aot_unpaired": 0.2}  # where TRL reads label_smoothing
OF_TRL = {m.name: m.trl for m in METHODS.values() if m.asks == "pairs" and m.trl not in ("", "simpo", "orpo")}


def network(seed: int) -> Policy:
    """Without dropout, which TRL leaves on while it trains."""
    return Policy(tiny_model(seed, dropout=0.0), tiny_tokenizer(), "tiny", "float32")


def asked_of_tiny_models() -> Asked:
    """What a method sees of the tiny pairs: policy and reference are two different random networks."""
    said = tiny_preferences()
    policy, reference = network(0), network(1)
    sequences = policy.encode_all(reply_texts(said))
    index = pair_indices(said.starts, said.comparisons)
    logs = [np.array(all_log_probs(model, sequences))[index] for model in (policy, reference)]
    return Asked(*logs, token_counts(sequences)[index], agreements(said.comparisons))


def as_trl(name: str, asked: Asked) -> Asked:
    """TRL's IPO divides each log-ratio by its reply's length first."""
    if name != "ipo":
        return asked
    return asked._replace(
        log_probs=asked.log_probs / asked.lengths, reference=asked.reference / asked.lengths
    )


@pytest.mark.parametrize("name", OF_TRL)
def test_the_loss_is_trls(name, tmp_path):
    said = tiny_preferences()
    texts = reply_texts(said)
    pairs = [
        {"prompt": texts[w][0], "chosen": texts[w][1], "rejected": texts[v][1]}
        for w, v in pair_indices(said.starts, said.comparisons).T
    ]
    trainer = trl_side.trl_trainer(
        *(network(0), pairs, 0.3, 1e-6, 1, len(pairs), str(tmp_path)),
        other=network(1),
        loss_type=OF_TRL[name],
        label_smoothing=EPSILON.get(name, 0.0),
    )
    trainer.train()
    trl_side.free_logging()
    method, asked = METHODS[name], as_trl(name, asked_of_tiny_models())
    settings = {"beta": 0.3, "epsilon": EPSILON.get(name)}
    known = {key: value for key, value in settings.items() if method.setting(key) is not None}
    losses = method.losses(configured(name, **known).values, asked)
    ours = losses.mean()
    if name == "sft":  # TRL takes the mean over tokens, not over replies
        ours = losses.sum() / asked.lengths[0].sum()
    assert ours == pytest.approx(trainer.losses[0], rel=3e-5)
