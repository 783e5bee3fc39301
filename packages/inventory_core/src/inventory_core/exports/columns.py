"""The columns of an export, and how a hook adds one."""

from collections.abc import Callable
from dataclasses import dataclass

from inventory_core.queries.rows import ProductRow

Cell = str | int | None


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column: its header, its value for a row (text or whole number; None is an empty cell), its width in characters.

    An import does not know the header of a hook's column and leaves it unused, so a header must not be one of those
    in ``imports.headers``.
    """

    header: str
    value: Callable[[ProductRow], Cell]
    width: int = 16
