"""The query string of the list: filter, order and position, read from a request and written into links."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from flask_babel import gettext

from inventory_core import PRODUCT_SORTS, Cursor, Inventory, ProductFilter, ProductPage, product_page
from inventory_web.http.pagination import read_cursor
from inventory_web.i18n.labels import format_number, products_text

LONGEST_SEARCH = 200
MOST_COUNTED = 1_000
MOST_FOUND = 100
"""Maximum count for a search; lower than without a search, because the text of each product must be read."""
DEFAULT_SORT = "name"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The query of the list, its exports and its links."""

    products: ProductFilter
    sort: str = DEFAULT_SORT
    after: Cursor | None = None

    @classmethod
    def read(cls, fields: Mapping[str, str], *, status: str | None = None) -> Self:
        """Read ``search``, ``category``, ``status``, ``location``, ``sort`` and ``after``; ``status`` wins over the query.

        An unknown order is ignored. Raises ``InvalidInput`` for an unknown status, which would otherwise look like a filtered list,
        and for an invalid ``after``.
        """
        products = ProductFilter(
            search=" ".join(fields.get("search", "").split())[:LONGEST_SEARCH],
            category=fields.get("category", "").strip(),
            status=status or fields.get("status", "").strip(),
            location=fields.get("location", "").strip(),
        )
        sort = fields.get("sort", DEFAULT_SORT)
        sort = sort if sort in PRODUCT_SORTS else DEFAULT_SORT
        return cls(products, sort, read_cursor(fields))

    @property
    def filtered(self) -> bool:
        """Return whether there is a filter."""
        return any(self.filter_args().values())

    def filter_args(self) -> dict[str, str]:
        """Return the filter as URL arguments; empty parts are left out."""
        parts = {
            "search": self.products.search,
            "category": self.products.category,
            "status": self.products.status,
            "location": self.products.location,
        }
        return {name: str(value) for name, value in parts.items() if value}

    def args(self, *, sort: str | None = None, after: Cursor | None = None) -> dict[str, Any]:
        """Return the arguments of a link to the list in the order of ``sort``, starting after ``after``."""
        arguments: dict[str, Any] = self.filter_args()
        if (sort or self.sort) != DEFAULT_SORT:
            arguments["sort"] = sort or self.sort
        if after is not None:
            arguments["after"] = str(after)
        return arguments

    def turned(self, column: str) -> str:
        """Return the ``sort`` for a click on the heading of ``column``."""
        return f"-{column}" if self.sort == column else column


def read_list(inventory: Inventory, query: ListQuery) -> ProductPage:
    """Read the requested page, and count the list as far as the heading needs it."""
    most = MOST_FOUND if query.products.search else MOST_COUNTED
    return product_page(inventory, query.products, query.sort, query.after, count_up_to=most)


def found_text(page: ProductPage) -> str:
    """Return the number of products for the heading; empty if they were not counted."""
    if page.count is None:
        return ""
    if page.count.more:
        return gettext("Más de %(number)s productos", number=format_number(page.count.number))
    return products_text(page.count.number)
