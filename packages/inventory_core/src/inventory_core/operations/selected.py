"""The products of a selection, locked and read under their locks."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select

from inventory_core.errors import Fault, InvalidInput, SelectionChanged
from inventory_core.models import BALANCE, PRODUCT
from inventory_core.queries.product_query.plan import ask
from inventory_core.queries.selecting import MAX_SELECTED_PRODUCTS, Selection, too_many_selected
from inventory_core.stock.idempotency import Unit

AT_ONCE = 2_000

# Every operation locks products by ascending id; a locking read sees what is committed now, whatever snapshot there is.
_LOCKED = (
    select(
        PRODUCT.c.id,
        PRODUCT.c.code,
        PRODUCT.c.name,
        PRODUCT.c.version,
        PRODUCT.c.category_id,
        PRODUCT.c.minimum,
        PRODUCT.c.retired_at,
    )
    .where(PRODUCT.c.id.in_(bindparam("products", expanding=True)))
    .order_by(PRODUCT.c.id)
    .with_for_update()
)


class Selected(NamedTuple):
    """A locked product."""

    id: int
    code: str
    name: str
    version: int
    category_id: int | None
    minimum: int
    retired_at: datetime | None
    seen_version: int | None = None

    @property
    def retired(self) -> bool:
        """Whether it is retired."""
        return self.retired_at is not None


def lock_selected(unit: Unit, selection: Selection) -> list[Selected]:
    """Lock the products of the selection until the unit ends, and give them by ascending id.

    Raises ``InvalidInput`` for a product that does not exist and for too many, and ``SelectionChanged``.
    """
    if selection.found is not None:
        return _lock_found(unit, selection)
    seen = {product.id: product for product in sorted(selection.products, key=lambda product: product.id)}
    return [product._replace(seen_version=seen[product.id].seen_version) for product in lock_many(unit, list(seen))]


def lock_many(unit: Unit, ids: Sequence[int]) -> list[Selected]:
    """Lock products, given by ascending id. Raises ``InvalidInput`` for one that does not exist."""
    locked = list(_lock(unit, ids))
    if len(locked) != len(ids):
        missing = min(set(ids) - {product.id for product in locked})
        raise InvalidInput(Fault("selection", "unknown", str(missing)))
    return locked


def _lock(unit: Unit, ids: Sequence[int]) -> Iterator[Selected]:
    for start in range(0, len(ids), AT_ONCE):
        for record in unit.connection.execute(_LOCKED, {"products": ids[start : start + AT_ONCE]}):
            yield Selected(*record)


def _lock_found(unit: Unit, selection: Selection) -> list[Selected]:
    if selection.found is None:
        return []
    question = ask(unit.session, selection.found, "changed")
    question = question.of_all() if question.walks else question
    ids = sorted(unit.session.scalars(question.rows((PRODUCT.c.id,)).limit(MAX_SELECTED_PRODUCTS + 1)))
    if len(ids) > MAX_SELECTED_PRODUCTS:
        raise too_many_selected(len(ids))
    locked = {product.id: product for product in _lock(unit, ids)}
    # Somebody may have changed them until they were locked; now they are what they are.
    found: list[int] = []
    of = (PRODUCT,) if question.places.location_id is None else (PRODUCT, BALANCE)
    for start in range(0, len(ids), AT_ONCE):
        statement = question.only(ids[start : start + AT_ONCE]).rows((PRODUCT.c.id,))
        found += unit.session.scalars(statement.with_for_update(of=of))
    if selection.seen_number not in (None, len(found)):
        raise SelectionChanged(selection.seen_number or 0, len(found))
    return [locked[product_id] for product_id in sorted(found)]
