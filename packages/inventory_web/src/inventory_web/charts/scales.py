"""Scales: maps numbers to positions on an axis, and chooses round numbers for it."""

from dataclasses import dataclass

MOST_TICKS = 5


def round_ticks(largest: int, most: int = MOST_TICKS) -> tuple[int, ...]:
    """Return whole numbers from 0 to at least ``largest``, at most ``most`` (2 or more), in equal steps of 1, 2 or 5 times 10ⁿ."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            steps = max(1, -(-largest // step))
            if steps < most:
                return tuple(range(0, steps * step + 1, step))
        power *= 10


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps 0 to ``begin`` and ``largest`` to ``end``; ``end`` may be smaller than ``begin``."""

    largest: int
    begin: float
    end: float

    def at(self, value: int) -> float:
        """Return the position of the value, limited to the ends."""
        share = min(1.0, max(0.0, value / self.largest)) if self.largest else 0.0
        return self.begin + (self.end - self.begin) * share
