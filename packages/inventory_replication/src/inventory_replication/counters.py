"""What has happened in this process, counted by reason."""

import threading
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

WAIT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Upper bounds, in seconds, of the classes that waits are counted in; a last one takes the rest."""


@dataclass(slots=True)
class Waits:
    """How long readers waited for their own change."""

    classes: list[int] = field(default_factory=lambda: [0] * (len(WAIT_BUCKETS) + 1))
    seconds: float = 0.0


@dataclass(slots=True)
class Counters:
    """Grow only. Threads may share it; read a copy (`copied`)."""

    units: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Decisions by role, server (empty: refused) and reason."""
    repeated: Counter[str] = field(default_factory=Counter)
    """Units of work that were run again, by what went wrong."""
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Failures by server and what went wrong."""
    tokens: Counter[str] = field(default_factory=Counter)
    """Causal tokens that were brought, by verdict."""
    waits: dict[str, Waits] = field(default_factory=dict)
    """By server."""
    unmet_waits: Counter[str] = field(default_factory=Counter)
    """Waits that ended without the change, by server."""
    cut_off: Counter[str] = field(default_factory=Counter)
    """Reads under way that were ended because their server did not answer, by server."""
    unknown_commits: int = 0
    lost_writes: int = 0
    largest_token: int = 0
    """Length in characters of the longest token given out."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count_unit(self, role: str, server: str, reason: str) -> None:
        """A unit of work goes to a server, or is refused."""
        with self._lock:
            self.units[role, server, reason] += 1

    def count_fault(self, server: str, meaning: str) -> None:
        """A unit of work failed on a server."""
        with self._lock:
            self.faults[server, meaning] += 1

    def count_repeat(self, meaning: str) -> None:
        """A unit of work is run again."""
        with self._lock:
            self.repeated[meaning] += 1

    def count_wait(self, server: str, seconds: float, *, met: bool) -> None:
        """A reader waited for its own change."""
        with self._lock:
            waits = self.waits.setdefault(server, Waits())
            waits.classes[bisect_left(WAIT_BUCKETS, seconds)] += 1
            waits.seconds += seconds
            if not met:
                self.unmet_waits[server] += 1

    def count_cut_off(self, server: str, number: int) -> None:
        """Reads under way were ended."""
        with self._lock:
            self.cut_off[server] += number

    def count_token(self, verdict: str) -> None:
        """A token was brought."""
        with self._lock:
            self.tokens[verdict] += 1

    def note_issued(self, length: int) -> None:
        """A token was given out."""
        with self._lock:
            self.largest_token = max(self.largest_token, length)

    def count_unknown_commit(self) -> None:
        """Nobody knows whether a change was stored, or which GTID it has."""
        with self._lock:
            self.unknown_commits += 1

    def count_lost_write(self) -> None:
        """A confirmed change is missing on the present source."""
        with self._lock:
            self.lost_writes += 1

    def copied(self) -> "Counters":
        """A copy of one moment."""
        with self._lock:
            return Counters(
                units=self.units.copy(),
                repeated=self.repeated.copy(),
                faults=self.faults.copy(),
                tokens=self.tokens.copy(),
                waits={name: Waits(list(each.classes), each.seconds) for name, each in self.waits.items()},
                unmet_waits=self.unmet_waits.copy(),
                cut_off=self.cut_off.copy(),
                unknown_commits=self.unknown_commits,
                lost_writes=self.lost_writes,
                largest_token=self.largest_token,
            )
