"""Select products, one by one or by a filter, and lock them for a change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from inventory_core.context import InventoryContext
from inventory_core.errors import Fault, InvalidInput, SelectionChanged
from inventory_core.models import BALANCE, PRODUCT
from inventory_core.queries.product_query.filters import (
    ProductFilter,
    ResolvedFilter,
    read_rows,
    row_columns,
    row_source,
)
from inventory_core.queries.product_query.plan import plan_query
from inventory_core.queries.products import ProductCount, count_query, read_page
from inventory_core.records import Record
from inventory_core.results import ProductRow
from inventory_core.rules.arguments import check_arguments, check_page_size, require_types
from inventory_core.stock.idempotency import UnitOfWork

MAX_SELECTED_PRODUCTS = 10_000
"""The maximum number of products in one operation."""

_ANYWHERE = ResolvedFilter(None, None, None)
_ROWS = (
    select(*row_columns(_ANYWHERE))
    .select_from(row_source(PRODUCT, _ANYWHERE))
    .where(PRODUCT.c.id.in_(bindparam("products", expanding=True)))
)

LOCK_BATCH_SIZE = 2_000
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


@dataclass(frozen=True, slots=True)
class SelectedProduct:
    """A product by its id (``ProductRow.id``) and the version that was seen; None accepts any version."""

    id: int
    expected_version: int | None = None

    def __post_init__(self) -> None:
        require_types(self)


@dataclass(frozen=True, slots=True)
class Selection:
    """Either ``products``, each of them once, or every product that ``filter`` matches.

    ``expected_count`` is the number that the filter matched when the user decided; None accepts any number. Raises
    ``InvalidInput`` for more than ``MAX_SELECTED_PRODUCTS`` products and for an empty selection.
    """

    products: tuple[SelectedProduct, ...] = ()
    filter: ProductFilter | None = None
    expected_count: int | None = None

    def __post_init__(self) -> None:
        require_types(self)
        once = {product.id: product for product in reversed(self.products)}
        object.__setattr__(self, "products", tuple(reversed(once.values())))
        if self.filter is None and not self.products:
            raise InvalidInput(Fault("selection", "required"))
        if len(self.products) > MAX_SELECTED_PRODUCTS:
            raise too_many_selected(len(self.products))

    def without(self, ids: frozenset[int]) -> "Selection":
        """Return the selection without these products. Raises ``InvalidInput`` if none is left."""
        return replace(self, products=tuple(product for product in self.products if product.id not in ids))


@dataclass(frozen=True, slots=True)
class SelectedRows(Record):
    """The first products of a selection, and the total number."""

    rows: tuple[ProductRow, ...]
    count: ProductCount


def too_many_selected(number: int) -> InvalidInput:
    """Return the error for a selection of this number of products."""
    return InvalidInput(Fault("selection", "too_many", str(number), MAX_SELECTED_PRODUCTS))


@check_arguments
def selected_rows(
    inventory: InventoryContext, selection: Selection, *, size: int = 50, sort: str = "name"
) -> SelectedRows:
    """Return the first ``size`` (1 to 500) products of a selection and count all, up to ``MAX_SELECTED_PRODUCTS``.

    Products that were selected one by one keep that order, those of a filter have the order of ``sort``. Unknown ids are
    skipped.
    """
    check_page_size(size)
    with inventory.sessions.reader() as session:
        if selection.filter is None:
            return _chosen(session, selection, size)
        query = plan_query(session, selection.filter, sort)
        records = read_page(session, query, None, size)
        rows = tuple(read_rows(record[1:] for record in records))
        counted = ProductCount(len(rows), more=False) if len(rows) < size else None
        return SelectedRows(rows, counted or count_query(session, query, MAX_SELECTED_PRODUCTS))


def _chosen(session: Session, selection: Selection, size: int) -> SelectedRows:
    ids = [product.id for product in selection.products]
    rows = {row.id: row for row in read_rows(session.execute(_ROWS, {"products": ids}))}
    known = [rows[product_id] for product_id in ids if product_id in rows]
    return SelectedRows(tuple(known[:size]), ProductCount(len(known), more=False))


class LockedProduct(NamedTuple):
    """A locked product."""

    id: int
    code: str
    name: str
    version: int
    category_id: int | None
    minimum: int
    retired_at: datetime | None
    expected_version: int | None = None

    @property
    def retired(self) -> bool:
        """Return whether it is retired."""
        return self.retired_at is not None


def lock_selected(unit: UnitOfWork, selection: Selection) -> list[LockedProduct]:
    """Lock the products of the selection until the unit ends; return them by ascending id.

    Raises ``InvalidInput`` for a product that does not exist and for too many, and ``SelectionChanged``.
    """
    if selection.filter is not None:
        return _lock_found(unit, selection)
    seen = {product.id: product for product in sorted(selection.products, key=lambda product: product.id)}
    return [
        product._replace(expected_version=seen[product.id].expected_version) for product in lock_many(unit, list(seen))
    ]


def lock_many(unit: UnitOfWork, ids: Sequence[int]) -> list[LockedProduct]:
    """Lock products by ascending id. Raises ``InvalidInput`` for an unknown id."""
    locked = list(_lock(unit, ids))
    if len(locked) != len(ids):
        missing = min(set(ids) - {product.id for product in locked})
        raise InvalidInput(Fault("selection", "unknown", str(missing)))
    return locked


def _lock(unit: UnitOfWork, ids: Sequence[int]) -> Iterator[LockedProduct]:
    for start in range(0, len(ids), LOCK_BATCH_SIZE):
        for record in unit.connection.execute(_LOCKED, {"products": ids[start : start + LOCK_BATCH_SIZE]}):
            yield LockedProduct(*record)


def _lock_found(unit: UnitOfWork, selection: Selection) -> list[LockedProduct]:
    if selection.filter is None:
        return []
    query = plan_query(unit.session, selection.filter, "changed")
    query = query.of_all() if query.scans_in_order else query
    ids = sorted(unit.session.scalars(query.rows((PRODUCT.c.id,)).limit(MAX_SELECTED_PRODUCTS + 1)))
    if len(ids) > MAX_SELECTED_PRODUCTS:
        raise too_many_selected(len(ids))
    locked = {product.id: product for product in _lock(unit, ids)}
    # Another transaction may have changed them before they were locked, so filter the locked rows again.
    found: list[int] = []
    of = (PRODUCT,) if query.resolved.location_id is None else (PRODUCT, BALANCE)
    for start in range(0, len(ids), LOCK_BATCH_SIZE):
        statement = query.only(ids[start : start + LOCK_BATCH_SIZE]).rows((PRODUCT.c.id,))
        found += unit.session.scalars(statement.with_for_update(of=of))
    if selection.expected_count not in (None, len(found)):
        raise SelectionChanged(selection.expected_count or 0, len(found))
    return [locked[product_id] for product_id in sorted(found)]
