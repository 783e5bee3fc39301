"""The columns behind a ``ProductRow``."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, FromClause, literal

from inventory_core.models import BALANCE, CATEGORY, PRODUCT
from inventory_core.queries.filters import Places
from inventory_core.results import ProductRow


def row_columns(places: Places) -> tuple[ColumnElement[Any], ...]:
    """The columns that ``read_rows`` takes, in its order."""
    return (
        PRODUCT.c.id,
        PRODUCT.c.code,
        PRODUCT.c.name,
        PRODUCT.c.description,
        CATEGORY.c.name.label("category"),
        literal(places.location).label("location"),
        (PRODUCT.c.quantity if places.location_id is None else BALANCE.c.quantity).label("here"),
        PRODUCT.c.quantity,
        PRODUCT.c.minimum,
        PRODUCT.c.version,
        PRODUCT.c.changed_at,
        PRODUCT.c.retired_at.is_not(None).label("retired"),
    )


def row_source(product: FromClause, places: Places, product_id: ColumnElement[int] = PRODUCT.c.id) -> FromClause:
    """Where they come from: ``product``, its category and, with a location, its balance there, joined by ``product_id``."""
    source = product.outerjoin(CATEGORY, CATEGORY.c.id == PRODUCT.c.category_id)
    if places.location_id is None:
        return source
    here = (BALANCE.c.product_id == product_id) & (BALANCE.c.location_id == places.location_id)
    return source.join(BALANCE, here)


def read_rows(records: Iterable[Any]) -> Iterator[ProductRow]:
    """Make the answers out of database rows."""
    for record in records:
        yield ProductRow(*record)
