"""How far a replica may be behind: an upper bound from samples, without server clocks or heartbeat writes.

The source is sampled: the monotonic clock is read before a probe is sent, and the answer contains everything committed until
then. A replica whose executed set contains sample *i* therefore misses nothing older than the time of *i*, and its staleness at
any later ``now`` is at most ``now - time(i)``. The only clock is that of the probing process. While there are no answers the
bound grows, which is correct.
"""

import math
from dataclasses import dataclass

from inventory_replication.decisions.gtid import EMPTY, GtidSet

NEVER = -math.inf
"""Time of a proof that does not exist: the bound is infinite."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """What is proved of one replica.

    Args:
        complete_until: The replica has every transaction that the source had committed at this monotonic time, or `NEVER`.
        lag: How far it trailed the latest sample at its last probe: an estimate for choosing, not a bound. Infinite while
            nothing is proved.
    """

    complete_until: float = NEVER
    lag: float = math.inf

    def bound(self, now: float) -> float:
        """Return the upper bound of its staleness in seconds; infinite if nothing is proved.

        Args:
            now: Monotonic seconds, on the clock of the samples.
        """
        return max(now - self.complete_until, 0.0)


UNPROVED = Freshness()


class StalenessTracker:
    """Samples of one source and what they prove of its replicas.

    Mutable; used by one thread, which publishes the `Freshness` values. Create a new one when the source becomes another server:
    positions of two sources cannot be compared.

    Args:
        capacity: Number of distinct samples to keep. Beyond it, every second sample of the older half is dropped, so that the
            history reaches far back and becomes coarser with age. A bound may become larger by that, never too small.
    """

    __slots__ = ("_capacity", "_known", "_samples")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._samples: list[tuple[float, GtidSet]] = []
        self._known: dict[str, tuple[GtidSet, Freshness]] = {}

    def observe_source(self, probed_at: float, executed: GtidSet) -> None:
        """Add a sample.

        A set that lacks part of the previous one means that the history of the source was rewritten (a reset, a restored
        backup): all samples and proofs are then dropped. A sample that was sent before the last one is ignored.

        Args:
            probed_at: Monotonic time **before** the probe was sent. A later one would make the bound too small.
            executed: The answer.
        """
        if self._samples:
            last_probed_at, last_executed = self._samples[-1]
            if probed_at < last_probed_at:
                return
            if not executed.contains(last_executed):
                self._samples.clear()
                self._known.clear()
            elif last_executed.contains(executed):
                self._samples.pop()
        self._samples.append((probed_at, executed))
        if len(self._samples) > self._capacity:
            half = len(self._samples) // 2
            del self._samples[1:half:2]

    def observe_replica(self, name: str, executed: GtidSet) -> Freshness:
        """Add the answer of a replica and return what is now proved of it.

        A replica that lacks something it had (rebuilt from a copy) loses its earlier proof.
        """
        before, proved = self._known.get(name, (EMPTY, UNPROVED))
        complete_until = proved.complete_until if executed.contains(before) else NEVER
        at = self._newest_contained(executed)
        if at is not None:
            complete_until = max(complete_until, self._samples[at][0])
        newest = self._samples[-1][0] if self._samples else math.inf
        freshness = Freshness(complete_until, newest - complete_until)
        self._known[name] = (executed, freshness)
        return freshness

    def freshness(self, name: str) -> Freshness:
        """Return what was proved of the replica at its last answer; `UNPROVED` if it never answered."""
        return self._known.get(name, (EMPTY, UNPROVED))[1]

    def _newest_contained(self, executed: GtidSet) -> int | None:
        """Return the index of the latest sample that the set contains; each sample contains the earlier ones."""
        low, high = 0, len(self._samples)
        while low < high:
            middle = (low + high) // 2
            if executed.contains(self._samples[middle][1]):
                low = middle + 1
            else:
                high = middle
        return low - 1 if low else None
