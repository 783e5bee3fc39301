"""Filter products: names looked up, conditions, and the rows that a query selects from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, literal, select
from sqlalchemy.orm import Session

from inventory_core.errors import Fault, InvalidInput
from inventory_core.models import BALANCE, CATEGORY, LOCATION, PRODUCT
from inventory_core.results import ProductRow
from inventory_core.rules.arguments import require_types
from inventory_core.rules.products import WITHOUT_CATEGORY
from inventory_core.rules.stock import Status
from inventory_core.rules.texts import normalize_line, sort_key

_NO_ROW = 0


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """Filter for products; every part narrows.

    ``search``: see ``rules.texts.search_words``. ``category`` (``WITHOUT_CATEGORY``: those that have none) and ``location`` are
    names, compared without case and accents; a name that does not exist matches nothing. ``status`` None means all that are not
    retired. With a location, the filter matches only products with a balance there (which may be 0), and ``available`` and
    ``out_of_stock`` refer to that location; ``low_stock`` always refers to the total. Empty texts mean None. Raises
    ``InvalidInput`` for an unknown status.
    """

    search: str = ""
    category: str | None = None
    status: Status | str | None = None
    location: str | None = None

    def __post_init__(self) -> None:
        require_types(self)
        object.__setattr__(self, "category", self.category or None)
        object.__setattr__(self, "location", self.location or None)
        try:
            object.__setattr__(self, "status", Status(self.status) if self.status else None)
        except ValueError:
            raise InvalidInput(Fault("status", "unknown", str(self.status)[:80])) from None


@dataclass(frozen=True, slots=True)
class ResolvedFilter:
    """The ids for the names of a filter; an id of 0 means that the name does not exist."""

    category_id: int | None
    location_id: int | None
    location: str | None


def resolve_filter(session: Session, product_filter: ProductFilter) -> ResolvedFilter:
    """Look up the names of the filter: at most one statement for each."""
    category_id = location_id = location = None
    if product_filter.category and product_filter.category != WITHOUT_CATEGORY:
        key = sort_key(normalize_line(product_filter.category))
        category_id = session.scalar(select(CATEGORY.c.id).where(CATEGORY.c.name_key == key)) or _NO_ROW
    if product_filter.location:
        key = sort_key(normalize_line(product_filter.location))
        found = session.execute(select(LOCATION.c.id, LOCATION.c.name).where(LOCATION.c.name_key == key)).first()
        location_id, location = (found.id, found.name) if found else (_NO_ROW, None)
    return ResolvedFilter(category_id, location_id, location)


def conditions(
    product_filter: ProductFilter, resolved: ResolvedFilter, shown: Callable[[ColumnElement[Any]], ColumnElement[Any]]
) -> Iterator[ColumnElement[bool]]:
    """Yield the filter without its search and its location, as conditions on ``product`` and, with a location, ``balance``.

    ``shown`` maps each column to its form in conditions (see ``plan``).
    """
    status = product_filter.status
    retired_at, quantity = shown(PRODUCT.c.retired_at), shown(PRODUCT.c.quantity)
    yield retired_at.is_not(None) if status is Status.RETIRED else retired_at.is_(None)
    if product_filter.category == WITHOUT_CATEGORY:
        yield shown(PRODUCT.c.category_id).is_(None)
    elif resolved.category_id is not None:
        yield shown(PRODUCT.c.category_id) == resolved.category_id
    here = quantity if resolved.location_id is None else shown(BALANCE.c.quantity)
    if status is Status.AVAILABLE:
        yield here > 0
    elif status is Status.OUT_OF_STOCK:
        yield here == 0
    elif status is Status.LOW_STOCK:
        yield quantity < shown(PRODUCT.c.minimum)


def row_columns(resolved: ResolvedFilter) -> tuple[ColumnElement[Any], ...]:
    """Return the columns for ``read_rows``, in its order."""
    return (
        PRODUCT.c.id,
        PRODUCT.c.code,
        PRODUCT.c.name,
        PRODUCT.c.description,
        CATEGORY.c.name.label("category"),
        literal(resolved.location).label("location"),
        (PRODUCT.c.quantity if resolved.location_id is None else BALANCE.c.quantity).label("here"),
        PRODUCT.c.quantity,
        PRODUCT.c.minimum,
        PRODUCT.c.version,
        PRODUCT.c.changed_at,
        PRODUCT.c.retired_at.is_not(None).label("retired"),
    )


def row_source(
    product: FromClause, resolved: ResolvedFilter, product_id: ColumnElement[int] = PRODUCT.c.id
) -> FromClause:
    """Return the FROM clause: ``product``, its category and, with a location, its balance there, joined by ``product_id``."""
    source = product.outerjoin(CATEGORY, CATEGORY.c.id == PRODUCT.c.category_id)
    if resolved.location_id is None:
        return source
    here = (BALANCE.c.product_id == product_id) & (BALANCE.c.location_id == resolved.location_id)
    return source.join(BALANCE, here)


def read_rows(records: Iterable[Any]) -> Iterator[ProductRow]:
    """Convert database rows to product rows."""
    for record in records:
        yield ProductRow(*record)
