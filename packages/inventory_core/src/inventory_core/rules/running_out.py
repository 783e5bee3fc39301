"""How long the stock of a product lasts at the pace of its last weeks."""

USAGE_DAYS = 30
"""The pace is the average of so many days."""


def days_left(quantity: int, used: int, days: int = USAGE_DAYS) -> int:
    """Whole days until ``quantity`` is gone, if as much goes on being used as the ``used`` units of the last ``days`` days.

    Rounded down: 0 means less than a day. ``used`` must be positive: what is not used lasts for ever.
    """
    if used <= 0:
        raise ValueError("a product that nobody uses does not run out")
    return quantity * days // used
