"""KL and text statistics against brute force: all sequences of a tiny world, counts by hand, many samples."""

import itertools
import math

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from dpo_core.gpt2 import corpus
from dpo_core.gpt2.model.packing import TokenSequence
from dpo_core.gpt2.model.policy import Policy
from dpo_core.gpt2.model.sampling import sample, uniforms
from dpo_core.gpt2.training.degeneration import (
    Drawn,
    distinct,
    draw,
    measure,
    repetition,
    sequence_kl,
    token_ratios,
)
from tests.gpt2.tiny import tiny_policy, tiny_tokenizer

WORDS, LONGEST = 4, 3  # three words and the end of text: few enough sequences to list them all


def small_world(seed: int) -> Policy:
    torch.manual_seed(seed)
    shape = {"vocab_size": WORDS, "n_positions": 16, "n_embd": 16, "n_layer": 2, "n_head": 2}
    model = GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=0, eos_token_id=0, initializer_range=0.6))
    policy = Policy(model, tiny_tokenizer(), "small", "float64")
    assert policy.end_of_text == 0
    return policy


def every_reply() -> list[tuple[int, ...]]:
    """All replies: they end with the end of text (0), or are cut at LONGEST tokens."""
    replies = []
    for n in range(1, LONGEST + 1):
        for words in itertools.product(range(1, WORDS), repeat=n - 1):
            replies.append((*words, 0))
    return replies + list(itertools.product(range(1, WORDS), repeat=LONGEST))


def log_probs(policy: Policy, prompt: tuple[int, ...]) -> np.ndarray:
    with torch.no_grad():
        return policy.sequence_log_probs([TokenSequence(prompt, r) for r in every_reply()]).numpy()


def test_all_replies_of_the_small_world_have_probability_one():
    assert np.exp(log_probs(small_world(0), (1, 2))).sum() == pytest.approx(1.0, abs=1e-12)


def test_the_kl_of_sampled_sequences_is_the_kl_of_the_distributions():
    """Expected Σ_t KL_t under the policy = Σ_y π(y) log π(y)/π_ref(y), exactly, by enumeration; so with H."""
    policy, reference, prompt = small_world(0), small_world(1), (1, 2)
    ours, theirs = log_probs(policy, prompt), log_probs(reference, prompt)
    exact = float(np.sum(np.exp(ours) * (ours - theirs)))
    sequences = [TokenSequence(prompt, r) for r in every_reply()]
    per_sequence, entropies = np.array(sequence_kl(policy, reference, sequences))
    assert float(np.sum(np.exp(ours) * entropies)) == pytest.approx(-np.sum(np.exp(ours) * ours), abs=1e-10)
    assert (per_sequence >= 0).all()
    assert float(np.sum(np.exp(ours) * per_sequence)) == pytest.approx(exact, abs=1e-10)
    assert exact > 0.05
    # and its variance is the smaller one
    spread = float(np.sum(np.exp(ours) * (per_sequence - exact) ** 2))
    assert spread < float(np.sum(np.exp(ours) * (ours - theirs - exact) ** 2))


def test_samples_follow_the_policy():
    """Chi-squared of 4000 samples over all replies, at a level that chance passes once in a million."""
    policy, prompt, count = small_world(0), (1, 2), 4000
    drawn = sample(policy, [prompt] * count, uniforms(count, LONGEST, 7))
    expected = np.exp(log_probs(policy, prompt)) * count
    seen = np.array([drawn.count(reply) for reply in every_reply()])
    assert seen.sum() == count
    common = expected >= 5
    statistic = float(np.sum((seen[common] - expected[common]) ** 2 / expected[common]))
    freedom = int(common.sum()) - 1
    assert statistic < freedom + 5 * math.sqrt(2 * freedom) + 12


def test_a_sample_depends_on_its_own_prompt_and_numbers_alone():
    """Rows of different length advance together, and give what each gives alone."""
    policy = tiny_policy()
    prompts = [policy.prompt_ids(p) for p in ("The film", "", "In the end I slept, and", "A")]
    noise = uniforms(4, 12, 3)
    together = sample(policy, prompts, noise)
    alone = [sample(policy, [p], noise[i : i + 1])[0] for i, p in enumerate(prompts)]
    assert together == alone
    assert all(len(r) == 12 or r[-1] == policy.end_of_text for r in together)


def test_a_sample_stops_at_the_end_of_the_context():
    policy = small_world(0)
    policy.model.lm_head.weight.data[0] = 0  # tied to the embedding: the end of text becomes rare enough
    replies = sample(policy, [(1,) * 12], np.full((1, 50), 0.9999))
    assert len(replies[0]) == 16 - 12 + 1  # the last token is drawn from the sixteenth position


def test_distinct_and_repetition_by_hand():
    assert distinct([(1, 2, 1, 2)], 1) == 2 / 4
    assert distinct([(1, 2, 1, 2)], 2) == 2 / 3
    assert distinct([(1, 2), (1, 2)], 2) == 1 / 2
    assert distinct([(1,)], 2) is None
    assert repetition((1, 2, 3, 4, 1, 2, 3, 4)) == pytest.approx(1 / 5)
    assert repetition((5,) * 8) == pytest.approx(4 / 5)
    assert repetition((1, 2)) == 0.0


def test_the_standard_error_is_the_spread_of_repeated_estimates():
    policy, reference = tiny_policy(seed=0), tiny_policy(seed=1)

    def kl(samples, seed):
        drawn = [draw(by, ["The film"], samples, 6, (seed, i)) for i, by in enumerate((policy, reference))]
        return measure(policy, reference, *drawn, graded=False)

    few, many = [kl(50, seed) for seed in range(60)], kl(1600, 99)
    spread = float(np.std([found.kl for found in few], ddof=1))
    claimed = math.sqrt(np.mean([found.kl_se**2 for found in few]))
    assert claimed == pytest.approx(spread, rel=0.3)  # the spread of 60 estimates is known to ± 9 %
    assert many.kl_se == pytest.approx(claimed / math.sqrt(1600 / 50), rel=0.3)
    assert abs(np.mean([found.kl for found in few]) - many.kl) < 4 * math.hypot(
        spread / math.sqrt(60), many.kl_se
    )
    assert many.sentiment is None and many.parse_share is None
    # the other direction is that of the roles exchanged, and the entropy is −E log π of what was drawn
    back = measure(reference, policy, drawn := draw(reference, ["The film"], 1600, 6, (99, 1)), drawn, False)
    assert many.kl_reverse == pytest.approx(back.kl, rel=1e-6)
    assert many.kl_reverse_se == pytest.approx(back.kl_se, rel=1e-6)
    ours = draw(policy, ["The film"], 1600, 6, (99, 0)).sequences
    with torch.no_grad():
        surprise = -policy.sequence_log_probs(ours).numpy()
    assert abs(many.entropy - surprise.mean()) < 4 * surprise.std() / math.sqrt(len(ours))


def test_prompts_take_turns():
    policy = tiny_policy()
    drawn = draw(policy, ["The film", "A"], 5, 4, (3,))
    assert drawn.prompts == ("The film", "A", "The film", "A", "The film")
    assert [s.prompt for s in drawn.sequences] == [policy.prompt_ids(p) for p in drawn.prompts]


def test_reviews_are_graded_and_broken_ones_count_zero():
    """Known replies in, known figures out: one praise, one blame, one that does not parse."""
    policy = tiny_policy()
    texts = [" was superb.", " was dreadful.", " superb was the."]
    drawn = Drawn(("The film",) * 3, tuple(policy.encode("The film", text) for text in texts))
    found = measure(policy, policy, drawn, drawn, graded=True)
    praise, blame = (corpus.sentiment(f"The film{t}") for t in texts[:2])
    assert praise > 0.5 > -0.5 > blame
    assert found.parse_share == pytest.approx(2 / 3)
    assert found.sentiment == pytest.approx((praise + blame) / 3)
    assert found.sentiment_parsed == pytest.approx((praise + blame) / 2)
    assert found.kl == pytest.approx(0.0, abs=1e-9) and found.cut_share == 0.0


def test_token_ratios_sum_to_the_sequences_log_ratio():
    policy, reference = tiny_policy(seed=0), tiny_policy(seed=1)
    tokens = token_ratios(policy, reference, policy.encode("The film", " was dull."))
    sequence = [policy.encode("The film", " was dull.")]
    total = policy.sequence_log_probs(sequence).item() - reference.sequence_log_probs(sequence).item()
    assert sum(t["log_ratio"] for t in tokens if not t["masked"]) == pytest.approx(total, abs=1e-4)
    assert "".join(t["token"] for t in tokens) == "The film was dull.<|endoftext|>"
    assert [t["masked"] for t in tokens] == [True] * len(policy.prompt_ids("The film")) + [False] * (
        len(tokens) - len(policy.prompt_ids("The film"))
    )
