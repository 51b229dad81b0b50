"""How often one address or one voter may do a thing: token buckets in this server's memory."""

import time
from collections import OrderedDict
from collections.abc import Hashable

MOST_BUCKETS = 50_000


class Limit:
    """At most ``burst`` at once, and ``per_second`` on the average."""

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst, self._rate = burst, per_second
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def left(self, who: Hashable) -> float:
        """How many ``who`` may still do now."""
        left, at = self._left.get(who, (self._burst, 0.0))
        return min(self._burst, left + (time.monotonic() - at) * self._rate)

    def take(self, who: Hashable) -> bool:
        """Take one, if one is left."""
        left = self.left(who)
        taken = left >= 1
        self._left[who] = (left - taken, time.monotonic())
        self._left.move_to_end(who)
        if len(self._left) > MOST_BUCKETS:
            self._left.popitem(last=False)  # the one that was quiet for longest is full again
        return taken


class Limits:
    """What is limited. A whole class may sit behind one address, so addresses have room for it."""

    def __init__(self) -> None:
        self.wrong_codes = Limit(30, 0.5)  # by address
        self.joins = Limit(3000, 10)  # by address
        self.rooms = Limit(30, 0.1)  # by address
        self.votes = Limit(20, 2)  # by voter
