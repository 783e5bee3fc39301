"""From numbers to places on a line, and the round numbers that are written beside it."""

from dataclasses import dataclass

MOST_TICKS = 5


def round_ticks(largest: int, most: int = MOST_TICKS) -> tuple[int, ...]:
    """Whole numbers from 0 to at least ``largest``, at most ``most`` (2 or more) of them, in equal steps of 1, 2 or 5 times 10ⁿ."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            steps = max(1, -(-largest // step))
            if steps < most:
                return tuple(range(0, steps * step + 1, step))
        power *= 10


@dataclass(frozen=True, slots=True)
class Scale:
    """Puts 0 at ``begin`` and ``largest`` at ``end``; ``end`` may lie before ``begin``."""

    largest: int
    begin: float
    end: float

    def at(self, value: int) -> float:
        """Where the value lies; what is beyond the ends is put on them."""
        share = min(1.0, max(0.0, value / self.largest)) if self.largest else 0.0
        return self.begin + (self.end - self.begin) * share
