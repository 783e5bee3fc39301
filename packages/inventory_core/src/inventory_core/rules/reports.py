"""Compute what reports show: quantities in the past and days until a product runs out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

USAGE_DAYS = 30
"""The rate is the average of this many days."""


@dataclass(frozen=True, slots=True)
class PastQuantity:
    """The quantity ``since`` that time, until the next one."""

    since: datetime
    quantity: int


def past_quantities(now: int, changes: Sequence[tuple[datetime, int]], begin: datetime) -> tuple[PastQuantity, ...]:
    """Reconstruct past quantities from ``now`` and the changes, latest first; return those since ``begin`` in order of time.

    The order is that of the ledger. If a change has an earlier time than the one before it, because its operation waited for the
    product, it counts from that time on. Changes at the same time are one step: the two halves of a transfer cancel each other out.
    Steps without a difference are omitted.
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


def days_left(quantity: int, used: int, days: int = USAGE_DAYS) -> int:
    """Return the whole days until ``quantity`` is used up if ``used`` units were issued in the last ``days`` days.

    Rounded down: 0 means less than a day. ``used`` must be positive.
    """
    if used <= 0:
        raise ValueError("a product without usage does not run out")
    return quantity * days // used
