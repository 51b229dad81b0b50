"""Sequence log-probs of the smallest language model against brute force."""

import numpy as np
import pytest

from dpo_core.theory.token_chain import (
    END,
    random_chain,
    replies,
    reply_log_prob,
    token_log_probs,
    unfinished,
)


@pytest.mark.parametrize("seed", range(5))
def test_finished_and_unfinished_replies_make_one(seed):
    chain = random_chain(3, seed)
    told = sum(np.exp(reply_log_prob(chain, [2, 1], r)) for r in replies(3, 5))
    assert told < 1.0
    assert abs(told + unfinished(chain, 1, 5) - 1.0) < 1e-12


def test_a_reply_by_hand_and_its_prompt_masked():
    chain = np.array([[1.0, 0, 0], [0.5, 0.2, 0.3], [0.1, 0.6, 0.3]])
    by_hand = np.log(0.3) + np.log(0.6) + np.log(0.5)  # 1 → 2, 2 → 1, 1 → end
    assert reply_log_prob(chain, [2, 1], [2, 1, END]) == pytest.approx(by_hand, abs=1e-14)
    assert reply_log_prob(chain, [2, 2, 2, 1], [2, 1, END]) == pytest.approx(by_hand, abs=1e-14)
    assert token_log_probs(chain, [2, 1]).tolist() == [np.log(0.6)]


def test_replies_are_all_there_once():
    found = replies(2, 3)
    assert len(found) == len(set(found)) == 1 + 2 + 4
    assert all(r[-1] == END and END not in r[:-1] for r in found)
