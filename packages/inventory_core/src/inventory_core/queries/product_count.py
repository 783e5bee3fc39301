"""How many products a filter finds."""

from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory_core.inventory import Inventory
from inventory_core.queries.access import Question, Way, ask
from inventory_core.queries.filters import ProductFilter
from inventory_core.queries.search import FEW
from inventory_core.tables.plain import PRODUCT


@dataclass(frozen=True, slots=True)
class ProductCount:
    """``number`` products, or, if ``more``, at least that many."""

    number: int
    more: bool


def count_products(inventory: Inventory, product_filter: ProductFilter, cap: int = 1000) -> ProductCount:
    """Count the products of the filter, up to ``cap``: counting further costs time and tells a reader little."""
    with inventory.sessions.reader() as session:
        question = ask(session, product_filter, "changed")
        if question.way is Way.ORDER and question.words:
            question = _narrowed(session, question)
        found = question.rows((PRODUCT.c.id,)).limit(cap + 1).subquery()
        number = session.scalar(select(func.count()).select_from(found)) or 0
    return ProductCount(min(number, cap), number > cap)


def _narrowed(session: Session, question: Question) -> Question:
    """Take the way on which few rows are fetched, now that the words alone are common."""
    if question.candidates is not None:
        return question if question.places.location_id is None else replace(question, way=Way.PLACE)
    passing = list(session.scalars(question.without_words().rows((PRODUCT.c.id,)).limit(FEW + 1)))
    return question.only(passing) if len(passing) <= FEW else replace(question, way=Way.WHOLE)
