"""Which rows are blank."""

from collections.abc import Sequence
from operator import itemgetter

_first = itemgetter(0)


def has_blank_rows(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether any row is blank; most often the first cells already show that none is."""
    return not (all(rows) and all(map(str.strip, map(_first, rows)))) and any(map(is_blank, rows))


def is_blank(cells: Sequence[str]) -> bool:
    """Return whether no cell has more than white space."""
    return not any(cells) or not "".join(cells).strip()
