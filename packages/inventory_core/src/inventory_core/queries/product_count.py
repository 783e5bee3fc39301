"""How many products a filter finds."""

from dataclasses import dataclass, replace
from typing import Self

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory_core.inventory import Inventory
from inventory_core.models import PRODUCT
from inventory_core.queries.access import Question, Way, ask
from inventory_core.queries.filters import ProductFilter
from inventory_core.queries.search import FEW
from inventory_core.rules.arguments import check_arguments


@dataclass(frozen=True, slots=True)
class ProductCount:
    """``number`` products, or, if ``more``, more than that."""

    number: int
    more: bool

    @classmethod
    def of(cls, found: int, cap: int) -> Self:
        """The count for so many found rows, if more than ``cap`` need not be told apart."""
        return cls(min(found, cap), found > cap)


@check_arguments
def count_products(inventory: Inventory, product_filter: ProductFilter, cap: int = 1000) -> ProductCount:
    """Count the products of the filter, up to ``cap``: counting further costs time and tells a reader little."""
    with inventory.sessions.reader() as session:
        return count_question(session, ask(session, product_filter, "changed"), cap)


def count_question(session: Session, question: Question, cap: int) -> ProductCount:
    """Count the rows of a question, up to ``cap``."""
    if question.walks:
        question = _narrowed(session, question)
    found = question.rows((PRODUCT.c.id,)).limit(cap + 1).subquery()
    return ProductCount.of(session.scalar(select(func.count()).select_from(found)) or 0, cap)


def _narrowed(session: Session, question: Question) -> Question:
    """Take the way on which few rows are fetched, now that the words alone are common and no order is asked for."""
    if question.way is Way.PLANNER:
        return question.of_all()
    asked = question.product_filter
    if question.candidates is not None:
        return replace(question, way=Way.PLACE) if asked.location else question
    if asked.category or asked.status or asked.location:
        passing = list(session.scalars(question.without_words().rows((PRODUCT.c.id,)).limit(FEW + 1)))
        if len(passing) <= FEW:
            return question.only(passing)
    return question.of_all()
