"""How many products a filter finds."""

from dataclasses import dataclass

from sqlalchemy import func, select

from inventory_core.inventory import Inventory
from inventory_core.queries.filters import ProductFilter, conditions, find_places
from inventory_core.queries.product_rows import row_source
from inventory_core.queries.search import contains
from inventory_core.queries.stored import PRODUCT
from inventory_core.rules.texts import search_words


@dataclass(frozen=True, slots=True)
class ProductCount:
    """``number`` products, or, if ``more``, at least that many."""

    number: int
    more: bool


def count_products(inventory: Inventory, product_filter: ProductFilter, cap: int = 1000) -> ProductCount:
    """Count the products of the filter, up to ``cap``: counting further costs time and tells a reader little."""
    with inventory.sessions.reader() as session:
        places = find_places(session, product_filter)
        words = [contains(word) for word in search_words(product_filter.search)]
        found = select(PRODUCT.c.id).select_from(row_source(PRODUCT, places))
        found = found.where(*conditions(product_filter, places), *words).limit(cap + 1)
        number = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    return ProductCount(min(number, cap), number > cap)
