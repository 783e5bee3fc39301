"""Circuit breaker of one server: when it is left alone and when it may return.

Only failures to connect, or to stay connected, count. An open breaker closes by successful probes that were sent after its pause
and by nothing else: silence, old answers and the passing of time are no evidence of health.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from inventory_replication.config import BreakerPolicy

_NEVER = float("-inf")


class BreakerState(StrEnum):
    """What may be sent to the server."""

    CLOSED = "closed"
    """Units of work and probes."""
    OPEN = "open"
    """Nothing until the pause ends."""
    HALF_OPEN = "half_open"
    """Probes of the monitor only."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """State of one breaker. Immutable: every event returns the next state. Times are monotonic seconds.

    Args:
        state: See `BreakerState`.
        failures: Consecutive connection failures while closed.
        openings: How often it opened without a calm time in between; determines the pause.
        retry_at: End of the pause.
        good: Consecutive successful probes while half-open.
        closed_at: When it last closed.
    """

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    openings: int = 0
    retry_at: float = _NEVER
    good: int = 0
    closed_at: float = _NEVER

    @property
    def admits(self) -> bool:
        """Whether units of work may use the server."""
        return self.state is BreakerState.CLOSED

    def may_probe(self, now: float) -> bool:
        """Return whether the monitor may probe the server: always, except in the pause."""
        return now >= self.retry_at

    def after_failure(self, now: float, jitter: float, policy: BreakerPolicy) -> "Breaker":
        """Return the state after a connection failed, in a unit of work or in a probe.

        Args:
            now: Monotonic time.
            jitter: 0 to 1; scales the pause to between half and all of its length, so that instances do not return together.
            policy: Limits.
        """
        if now < self.retry_at:
            return self
        if self.state is BreakerState.CLOSED:
            calm = now - self.closed_at >= policy.calm_after
            openings = 0 if calm else self.openings
            if self.failures + 1 < policy.failures_to_open:
                return replace(self, failures=self.failures + 1, openings=openings)
        else:
            openings = self.openings
        doubled: float = policy.first_delay * 2.0 ** min(openings, 32)
        pause = min(doubled, policy.max_delay) * (0.5 + jitter / 2)
        return Breaker(BreakerState.OPEN, openings=openings + 1, retry_at=now + pause, closed_at=self.closed_at)

    def after_good_answer(self, probed_at: float, now: float, policy: BreakerPolicy) -> "Breaker":
        """Return the state after a successful probe.

        It does not reset the failures: the monitor may have an old connection to a server that accepts no new one.

        Args:
            probed_at: Monotonic time at which the probe was sent. One sent before the end of the pause proves nothing.
            now: Monotonic time.
            policy: Limits.
        """
        if self.state is BreakerState.CLOSED:
            return self
        if probed_at < self.retry_at:
            return self
        if self.good + 1 < policy.good_samples_to_close:
            return replace(self, state=BreakerState.HALF_OPEN, good=self.good + 1)
        return Breaker(openings=self.openings, closed_at=now)

    def after_success(self) -> "Breaker":
        """Return the state after a unit of work was served.

        It resets the failures but closes no breaker, because the unit began before the breaker opened.
        """
        return replace(self, failures=0) if self.failures else self
