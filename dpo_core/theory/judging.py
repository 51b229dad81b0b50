"""What a number of judgments can say: the error of a win rate, luck, and agreement by chance."""

from math import comb, sqrt


def win_rate_error(share: float, judged: int) -> float:
    """√(p(1−p)/n): the standard error of a win rate ``share`` from ``judged`` independent judgments."""
    return sqrt(share * (1.0 - share) / judged)


def at_least(wins: int, judged: int, share: float = 0.5) -> float:
    """Probability of ``wins`` or more of ``judged`` where each is won with probability ``share``."""
    return sum(comb(judged, k) * share**k * (1.0 - share) ** (judged - k) for k in range(wins, judged + 1))


def chance_agreement(first: float, second: float) -> float:
    """1/2 + 2(p − 1/2)(q − 1/2): how often two judges agree who prefer one side in shares p and q of the
    cases and know nothing of each other."""
    return 0.5 + 2.0 * (first - 0.5) * (second - 0.5)
