"""The address of a list: filter, order and place, read from a query and written back into links."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from flask_babel import gettext

from inventory_core import PRODUCT_SORTS, Inventory, Position, ProductFilter, ProductPage, product_page
from inventory_web.i18n.labels import format_number, products_text

LONGEST_SEARCH = 200
MOST_COUNTED = 1_000
MOST_FOUND = 100
"""How far the products of a search are counted; less far than others, since the text of each has to be read."""
DEFAULT_SORT = "name"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What the list, its exports and its links agree on."""

    products: ProductFilter
    sort: str = DEFAULT_SORT
    after: Position | None = None

    @classmethod
    def read(cls, given: Mapping[str, str], *, status: str | None = None) -> Self:
        """Read ``search``, ``category``, ``status``, ``location``, ``sort`` and ``after``; ``status`` wins over the query.

        An unknown order is ignored. Raises ``InvalidInput`` for a status that does not exist, since everything would then be
        shown as if it had it, and for an ``after`` that no page of this order has given.
        """
        products = ProductFilter(
            search=" ".join(given.get("search", "").split())[:LONGEST_SEARCH],
            category=given.get("category", "").strip(),
            status=status or given.get("status", "").strip(),
            location=given.get("location", "").strip(),
        )
        sort = given.get("sort", DEFAULT_SORT)
        sort = sort if sort in PRODUCT_SORTS else DEFAULT_SORT
        after = given.get("after", "")
        return cls(products, sort, Position.from_text(after, sort) if after else None)

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the list."""
        return any(self.filter_args().values())

    def filter_args(self) -> dict[str, str]:
        """The filter as arguments of an address; empty parts are left out."""
        parts = {
            "search": self.products.search,
            "category": self.products.category,
            "status": self.products.status,
            "location": self.products.location,
        }
        return {name: str(value) for name, value in parts.items() if value}

    def args(self, *, sort: str | None = None, after: Position | None = None) -> dict[str, Any]:
        """Arguments for a link to the same list in the order of ``sort``, beginning behind ``after``."""
        arguments: dict[str, Any] = self.filter_args()
        if (sort or self.sort) != DEFAULT_SORT:
            arguments["sort"] = sort or self.sort
        if after is not None:
            arguments["after"] = after.to_text()
        return arguments

    def turned(self, column: str) -> str:
        """The ``sort`` to which a click on the heading of ``column`` leads."""
        return f"-{column}" if self.sort == column else column


def read_list(inventory: Inventory, query: ListQuery) -> ProductPage:
    """Read the page that the address asks for, and count the list as far as its heading needs it."""
    most = MOST_FOUND if query.products.search else MOST_COUNTED
    return product_page(inventory, query.products, query.sort, query.after, count_up_to=most)


def found_text(page: ProductPage) -> str:
    """How many products a list has, as its heading says it; empty if they were not counted."""
    if page.count is None:
        return ""
    if page.count.more:
        return gettext("Más de %(number)s productos", number=format_number(page.count.number))
    return products_text(page.count.number)
