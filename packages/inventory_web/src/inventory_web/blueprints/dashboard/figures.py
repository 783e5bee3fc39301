"""The figures of the dashboard, so that each chart and its table show the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from inventory_core import CategoryStock

MOST_CATEGORIES = 9


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of the whole inventory."""

    products: int
    units: int
    low: int
    out_of_stock: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """A bar of the category chart: a category (None: without one), or the remaining ``others``."""

    category: str | None
    products: int
    units: int
    others: int = 0


def totals(stocks: Sequence[CategoryStock]) -> Totals:
    """Return the sum of the categories."""
    return Totals(
        sum(stock.products for stock in stocks),
        sum(stock.units for stock in stocks),
        sum(stock.low for stock in stocks),
        sum(stock.out_of_stock for stock in stocks),
    )


def shelves(stocks: Sequence[CategoryStock], most: int = MOST_CATEGORIES) -> tuple[Shelf, ...]:
    """Return the first ``most`` categories, and one line for the others if more than one is left."""
    shown = stocks if len(stocks) <= most + 1 else stocks[:most]
    lines = [Shelf(stock.category, stock.products, stock.units) for stock in shown]
    if rest := stocks[len(shown) :]:
        lines.append(Shelf(None, sum(each.products for each in rest), sum(each.units for each in rest), len(rest)))
    return tuple(lines)
