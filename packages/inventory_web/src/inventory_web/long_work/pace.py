"""How fast work goes, and so how long it will still take. Pure."""

import math
from dataclasses import dataclass
from typing import Self

SETTLED_SECONDS = 3.0
"""Before that nothing is foretold: the first rows say little."""
SMOOTHING_SECONDS = 8.0
"""How long a change of pace takes to count for two thirds."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Rows per second of one stage, as an exponentially weighted mean of what each report says. Times in seconds of one clock."""

    stage: str = ""
    began_at: float = 0.0
    at: float = 0.0
    done: int = 0
    rate: float | None = None

    def after(self, stage: str, done: int, at: float) -> Self:
        """The pace once ``done`` rows of ``stage`` are done at the time ``at``; another stage, or fewer rows, begins anew."""
        if stage != self.stage or done < self.done:
            return type(self)(stage, at, at, done)
        elapsed = at - self.at
        if elapsed <= 0:
            return self
        latest = (done - self.done) / elapsed
        weight = 1 - math.exp(-elapsed / SMOOTHING_SECONDS)
        rate = latest if self.rate is None else self.rate + weight * (latest - self.rate)
        return type(self)(stage, self.began_at, at, done, rate)

    def remaining(self, total: int) -> float | None:
        """Seconds until ``total`` rows are done; None while that cannot be told."""
        if not self.rate or total <= 0 or self.at - self.began_at < SETTLED_SECONDS:
            return None
        return max(0.0, (total - self.done) / self.rate)
