"""Summarize stock and movements for a dashboard."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Select,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    union_all,
)

from inventory_core.context import InventoryContext
from inventory_core.errors import Fault, InvalidInput, ProductNotFound
from inventory_core.models import CATEGORY, MOVEMENT, PRODUCT
from inventory_core.records import Record
from inventory_core.rules.arguments import check_arguments, check_page_size
from inventory_core.rules.reports import USAGE_DAYS, PastQuantity, days_left, past_quantities
from inventory_core.rules.stock import MovementKind, to_buy
from inventory_core.rules.texts import code_key, normalize_code

_UNDONE = MOVEMENT.alias("undone")

# Grouped by an expression, since SQLite would walk the whole ledger by its index of products to save the sorting.
_PRODUCT_ID = func.coalesce(MOVEMENT.c.product_id, literal_column("0"))
# Grouped by an expression, since SQLite would fetch every product by its index of categories to save the sorting.
_CATEGORY_ID = func.coalesce(PRODUCT.c.category_id, literal_column("0"))
_SUMS = (
    select(
        _CATEGORY_ID.label("category_id"),
        func.count().label("products"),
        func.sum(PRODUCT.c.quantity).label("units"),
        func.sum(case((PRODUCT.c.quantity < PRODUCT.c.minimum, 1), else_=0)).label("low"),
        func.sum(case((PRODUCT.c.quantity == 0, 1), else_=0)).label("out"),
    )
    .where(PRODUCT.c.retired_at.is_(None))
    .group_by(_CATEGORY_ID)
    .subquery()
)
_STATEMENT = select(CATEGORY.c.name, _SUMS.c.products, _SUMS.c.units, _SUMS.c.low, _SUMS.c.out).select_from(
    _SUMS.outerjoin(CATEGORY, CATEGORY.c.id == _SUMS.c.category_id)
)
MAX_DAYS = 366
HISTORY_DAYS = 90
MAX_HISTORY_MOVEMENTS = 100
_PRODUCT = select(PRODUCT.c.id, PRODUCT.c.quantity, PRODUCT.c.created_at).where(PRODUCT.c.code_key == bindparam("key"))
# Ordered by the ledger alone: a condition on the time would read all older movements too.
_LAST = (
    select(MOVEMENT.c.at, MOVEMENT.c.quantity)
    .where(MOVEMENT.c.product_id == bindparam("product"))
    .order_by(MOVEMENT.c.id.desc())
    .limit(MAX_HISTORY_MOVEMENTS + 1)
)


def of_kind(kind: MovementKind) -> ColumnElement[bool]:
    """Return the condition for the movements of a kind and for those that undo one of them."""
    undone = exists().where(_UNDONE.c.id == MOVEMENT.c.undoes_id, _UNDONE.c.kind == kind.value)
    return or_(MOVEMENT.c.kind == kind.value, and_(MOVEMENT.c.kind == MovementKind.UNDO.value, undone))


@dataclass(frozen=True, slots=True)
class StockShortage(Record):
    """A product that is low on stock, and how many units it ``lacks`` to its minimum."""

    code: str
    name: str
    quantity: int
    minimum: int
    lacks: int


@check_arguments
def lowest_stock(inventory: InventoryContext, *, size: int = 10) -> tuple[StockShortage, ...]:
    """Return the ``size`` (1 to 500) products in use with the largest shortage; one statement.

    Raises ``InvalidInput`` for another size.
    """
    check_page_size(size)
    lacks = PRODUCT.c.minimum - PRODUCT.c.quantity
    # The index has the deciding columns; names are fetched only for the rows that are shown.
    worst = (
        select(PRODUCT.c.id)
        .where(PRODUCT.c.retired_at.is_(None), PRODUCT.c.quantity < PRODUCT.c.minimum)
        .order_by(lacks.desc(), PRODUCT.c.id)
        .limit(size)
        .subquery()
    )
    statement = (
        select(PRODUCT.c.code, PRODUCT.c.name, PRODUCT.c.quantity, PRODUCT.c.minimum)
        .join(worst, worst.c.id == PRODUCT.c.id)
        .order_by(lacks.desc(), PRODUCT.c.id)
    )
    with inventory.sessions.reader() as session:
        return tuple(StockShortage(*row, to_buy(row.quantity, row.minimum)) for row in session.execute(statement))


@dataclass(frozen=True, slots=True)
class RunOutForecast(Record):
    """A product with its quantity, the units issued in the last 30 days, and the whole days until it runs out."""

    code: str
    name: str
    quantity: int
    used: int
    days_left: int


@check_arguments
def products_running_out(inventory: InventoryContext, *, size: int = 10) -> tuple[RunOutForecast, ...]:
    """Return the ``size`` (1 to 500) products that run out first, the most urgent first.

    Counts units that were issued in the last ``rules.reports.USAGE_DAYS`` days and not undone. Products without issues,
    retired products and products without stock are left out. One statement, which reads the movements of those days from
    an index. Raises ``InvalidInput`` for another size.
    """
    check_page_size(size)
    since = inventory.clock() - timedelta(days=USAGE_DAYS)
    usage = (
        select(_PRODUCT_ID.label("product_id"), (-func.sum(MOVEMENT.c.quantity)).label("used"))
        .where(MOVEMENT.c.at >= since, of_kind(MovementKind.ISSUE))
        .group_by(_PRODUCT_ID)
        .subquery()
    )
    statement = (
        select(PRODUCT.c.code, PRODUCT.c.name, PRODUCT.c.quantity, usage.c.used)
        .join(usage, usage.c.product_id == PRODUCT.c.id)
        .where(usage.c.used > 0, PRODUCT.c.quantity > 0, PRODUCT.c.retired_at.is_(None))
        .order_by(cast(PRODUCT.c.quantity, Double) / cast(usage.c.used, Double), PRODUCT.c.code_key)
        .limit(size)
    )
    with inventory.sessions.reader() as session:
        found = [(row[0], row[1], int(row[2]), int(row[3])) for row in session.execute(statement)]
    return tuple(RunOutForecast(*row, days_left(row[2], row[3])) for row in found)


@dataclass(frozen=True, slots=True)
class CategoryStock(Record):
    """The active products of a category: their number and units, and how many are low or out of stock.

    ``category`` None: those without one.
    """

    category: str | None
    products: int
    units: int
    low: int
    out_of_stock: int


@check_arguments
def stock_by_category(inventory: InventoryContext) -> tuple[CategoryStock, ...]:
    """Return each category that has products, the one with most units first; one statement over one index.

    The sums over all of them are those of the inventory.
    """
    with inventory.sessions.reader() as session:
        found = [CategoryStock(row[0], *map(int, row[1:])) for row in session.execute(_STATEMENT)]
    return tuple(sorted(found, key=lambda stock: (-stock.units, -stock.products, stock.category or "")))


@dataclass(frozen=True, slots=True)
class DayTotals(Record):
    """The totals of one day: number of movements, units received and units issued.

    A transfer counts as a movement, but not as received or issued; nor does its undo.
    """

    day: date
    movements: int
    incoming: int
    outgoing: int


@check_arguments
def movements_by_day(inventory: InventoryContext, *, days: int, timezone: tzinfo = UTC) -> tuple[DayTotals, ...]:
    """Return the last ``days`` (1 to 366) days with today as the last one; a day goes from midnight to midnight of ``timezone``.

    One statement, which reads the movements of these days from an index. Raises ``InvalidInput`` for another number of days.
    """
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInput(Fault("days", "unknown", str(days), MAX_DAYS))
    today = inventory.clock().astimezone(timezone).date()
    first = today - timedelta(days=days - 1)
    # A range for each day lets the index find it; grouping by a computed day would sort everything first.
    statement = union_all(*_ranges(first, days, timezone))
    with inventory.sessions.reader() as session:
        found = {row[0]: [int(each or 0) for each in row[1:]] for row in session.execute(statement)}
    return tuple(DayTotals(first + timedelta(days=day), *found[day]) for day in range(days))


def _ranges(first: date, days: int, timezone: tzinfo) -> Iterator[Select[*tuple[Any, ...]]]:
    comes = and_(MOVEMENT.c.quantity > 0, not_(of_kind(MovementKind.TRANSFER)))
    goes = and_(MOVEMENT.c.quantity < 0, not_(of_kind(MovementKind.TRANSFER)))
    for day in range(days):
        begin, end = (_midnight(first + timedelta(days=day + more), timezone) for more in (0, 1))
        yield select(
            literal(day),
            func.count(),
            func.sum(case((comes, MOVEMENT.c.quantity), else_=0)),
            func.sum(case((goes, -MOVEMENT.c.quantity), else_=0)),
        ).where(MOVEMENT.c.at >= begin, MOVEMENT.c.at < end)


def _midnight(day: date, timezone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, timezone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class QuantityHistory(Record):
    """From ``begin`` to ``end`` (UTC): each quantity with the time since when it was valid, the first one at ``begin``."""

    begin: datetime
    end: datetime
    quantities: tuple[PastQuantity, ...]


@check_arguments
def quantity_history(inventory: InventoryContext, code: str) -> QuantityHistory:
    """Return the quantities of the last 90 days, or of the last 100 movements if these were more.

    The last quantity is what the product has now. Two statements. Raises ``ProductNotFound``.
    """
    with inventory.sessions.reader() as session:
        product = session.execute(_PRODUCT, {"key": code_key(normalize_code(code))}).first()
        if product is None:
            raise ProductNotFound(code)
        found = [(row[0], row[1]) for row in session.execute(_LAST, {"product": product.id})]
    end = max([inventory.clock(), *(at for at, _ in found)])
    begin = max(end - timedelta(days=HISTORY_DAYS), min([product.created_at, *(at for at, _ in found)]))
    if len(found) > MAX_HISTORY_MOVEMENTS:
        begin = max(begin, found.pop()[0])
    return QuantityHistory(begin, end, past_quantities(product.quantity, found, begin))
