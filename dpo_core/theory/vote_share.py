"""What a count of votes says about the share of a whole population, and what DPO makes of that share."""

import math

Z_95 = 1.959963984540054  # the standard normal's 97.5 % point


def wilson_interval(votes: int, total: int, z: float = Z_95) -> tuple[float, float]:
    """The score interval for a binomial share (Wilson 1927): 95 % for the default ``z``.

    Without a vote nothing is known: (0, 1). Raises ValueError unless 0 ≤ votes ≤ total.
    """
    if not 0 <= votes <= total:
        raise ValueError(f"{votes} of {total} is not a share")
    if total == 0:
        return 0.0, 1.0
    share, spread = votes / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + spread)
    low, high = middle - half, middle + half
    return (0.0 if votes == 0 else low), (1.0 if votes == total else high)


def optimal_margin(agreement: float) -> float:
    """The implicit-reward margin u (nats) at which the DPO loss of one pair is smallest: σ(u) = p (Eq. 7).

    Infinite where all agree: that label has no finite optimum, at any β.
    """
    if agreement in (0.0, 1.0):
        return math.inf if agreement else -math.inf
    return math.log(agreement / (1.0 - agreement))
