"""The exact reward–KL frontier of a world: {π* at β}, best-of-N below it, and how far below a policy lies.

Rewards and KL(π‖π_ref) (nats) are means over prompts. π* at one β for all prompts maximises E[r] − β·KL
(Eq. 3), so that no policy has more reward at the same mean KL; along the frontier dR/dKL = β and
dR/d(1/β) = Var(r), the mean over prompts of the reward's variance under π*.
"""

from typing import NamedTuple

import numpy as np

from dpo_core.errors import ScenarioError
from dpo_core.numerics import Array
from dpo_core.preferences import Preferences
from dpo_core.theory.best_of import best_of_n, win_rate
from dpo_core.toy.categorical import ReplySpace, log_softmax

MOST_DRAWS = 1_000_000  # N of best-of-N


class Place(NamedTuple):
    """Where policies stand in the picture: both [...], means over prompts; KL in nats."""

    kl: Array
    reward: Array


class BestOf(NamedTuple):
    """Best of ``n``: where it stands, and how often it beats a reply of the reference."""

    n: int
    kl: float
    reward: float
    win_rate: float


def true_reward(preferences: Preferences) -> Array:
    """The world's reward [R]. Raises ScenarioError where it states none."""
    if preferences.reward is None:
        raise ScenarioError(
            "prompts[0].reward",
            "is missing, and the frontier is made of true rewards",
            "Give every prompt one reward per reply",
        )
    return preferences.reward


def place(preferences: Preferences, log_policy: Array) -> Place:
    """Where policies log π [..., R] stand.

    KL as Σ π_ref·(d·eᵈ − (eᵈ − 1)), d = log π/π_ref: no term is below 0, so that it is right near 0 too,
    where the frontier is steepest.
    """
    space, log_reference = ReplySpace.of(preferences), log_reference_of(preferences)
    d = log_policy - log_reference
    kl = space.sum(np.exp(log_reference) * (d * np.exp(d) - np.expm1(d)))
    reward = space.sum(np.exp(log_policy) * true_reward(preferences))
    return Place(kl.mean(axis=-1), reward.mean(axis=-1))


def log_reference_of(preferences: Preferences) -> Array:
    """log π_ref [R], as every run has it."""
    return log_softmax(ReplySpace.of(preferences), np.log(preferences.reference))


def optimal_policy(preferences: Preferences, beta: Array) -> Array:
    """log π* [..., R] ∝ π_ref·exp(r/β) (Eq. 4) for β [...], 0 < β ≤ ∞."""
    space, reward = ReplySpace.of(preferences), true_reward(preferences)
    lead = reward - space.spread(space.max(reward))  # at most 0: exp cannot overflow
    z = log_reference_of(preferences) + lead / np.asarray(beta, np.float64)[..., None]
    return log_softmax(space, z)


def exact_frontier(preferences: Preferences, beta: Array) -> Place:
    """KL and reward of π* at each β [...]."""
    return place(preferences, optimal_policy(preferences, beta))


def frontier_end(preferences: Preferences) -> Place:
    """Where the frontier ends as β → 0: π_ref among the best replies, KL = −log π_ref(best)."""
    space, reward = ReplySpace.of(preferences), true_reward(preferences)
    top = space.max(reward)
    best = space.sum(np.where(reward == space.spread(top), np.exp(log_reference_of(preferences)), 0.0))
    return Place(np.asarray(-np.log(best).mean()), np.asarray(top.mean()))


def reward_variance(preferences: Preferences, beta: Array) -> Array:
    """Mean over prompts of Var(r) under π* at β [...]: the slope dR/d(1/β)."""
    space, reward = ReplySpace.of(preferences), true_reward(preferences)
    p = np.exp(optimal_policy(preferences, beta))
    distance = reward - space.spread(space.sum(p * reward))
    return np.asarray(space.sum(p * distance**2).mean(axis=-1))


def best_reward(preferences: Preferences, kl: Array) -> Array:
    """The most reward that any policy has at mean KL ≤ ``kl`` [...], nats: the frontier as a function.

    β is found by bisection, as KL falls while β grows.
    """
    kl, end = np.asarray(kl, np.float64), frontier_end(preferences)
    low, high = np.full(kl.shape, -35.0), np.full(kl.shape, 35.0)  # log β
    for _ in range(64):
        middle = (low + high) / 2
        above = exact_frontier(preferences, np.exp(middle)).kl > kl
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    found = exact_frontier(preferences, np.exp(low)).reward  # on the far side: never less than the most
    return np.asarray(np.where(kl >= end.kl, end.reward, found))


def line_betas(preferences: Preferences, points: int = 200) -> Array:
    """β from large to small [points], so that {π* at β} is drawn from near the reference to near its end."""
    space, reward = ReplySpace.of(preferences), true_reward(preferences)
    gaps = np.concatenate([np.diff(np.unique(part)) for part in np.split(reward, space.starts[1:])])
    if not len(gaps):
        return np.ones(1)  # all replies are equally good: the frontier is one point
    spread = float((space.max(reward) + space.max(-reward)).max())
    return np.geomspace(100.0 * spread, max(float(gaps.min()) / 40.0, 1e-6 * spread), points)


def best_of(preferences: Preferences, draws: int) -> BestOf:
    """Best of N of the reference by the true reward, exactly; 1 ≤ N ≤ ``MOST_DRAWS``."""
    reward, cuts = true_reward(preferences), preferences.starts[1:]
    references = np.split(np.exp(log_reference_of(preferences)), cuts)
    rewards = np.split(reward, cuts)
    policies = [best_of_n(p, r, draws) for p, r in zip(references, rewards, strict=True)]
    with np.errstate(divide="ignore"):
        kl = [
            float(np.where(q > 0, q * np.log(np.where(q > 0, q, 1.0) / p), 0.0).sum())
            for q, p in zip(policies, references, strict=True)
        ]
    wins = [win_rate(q, p, r) for q, p, r in zip(policies, references, rewards, strict=True)]
    gained = [float(q @ r) for q, r in zip(policies, rewards, strict=True)]
    return BestOf(draws, *(float(np.mean(part)) for part in (kl, gained, wins)))
