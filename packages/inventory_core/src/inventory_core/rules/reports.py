"""Compute what reports show: quantities in the past and days until a product runs out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class PastQuantity:
    """So much there was ``since`` that time, until the next one."""

    since: datetime
    quantity: int


def past_quantities(now: int, changes: Sequence[tuple[datetime, int]], begin: datetime) -> tuple[PastQuantity, ...]:
    """Walk back from ``now`` through the changes, the latest one first; give what there was from ``begin`` on, in order of time.

    The order is that of the ledger. A change whose time is before that of an earlier one, since its operation waited for the
    product, counts from the time of that one on. Changes of one time are one step: the two halves of a transfer cancel each
    other out. What did not change is no step.
    """
    found: list[PastQuantity] = []
    quantity = now
    times = list(accumulate((at for at, _ in reversed(changes)), max))
    for at, (_, change) in zip(reversed(times), changes, strict=True):
        if at <= begin:
            break
        if not found or found[-1].since > at:
            found.append(PastQuantity(at, quantity))
        quantity -= change
    steps = [PastQuantity(begin, quantity)]
    for step in reversed(found):
        if step.quantity != steps[-1].quantity:
            steps.append(step)
    return tuple(steps)


USAGE_DAYS = 30
"""The pace is the average of so many days."""


def days_left(quantity: int, used: int, days: int = USAGE_DAYS) -> int:
    """Whole days until ``quantity`` is gone, if as much goes on being used as the ``used`` units of the last ``days`` days.

    Rounded down: 0 means less than a day. ``used`` must be positive: what is not used lasts for ever.
    """
    if used <= 0:
        raise ValueError("a product that nobody uses does not run out")
    return quantity * days // used
