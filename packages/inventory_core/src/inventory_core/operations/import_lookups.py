"""What an import must know of the stored rows, asked for in portions."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, select

from inventory_core.database.sql_batch import read_time, select_in
from inventory_core.imports.changes import Known, Places
from inventory_core.imports.row_rules import Named
from inventory_core.models import CATEGORY, LOCATION, PRODUCT

ROWS_AT_ONCE = 2_000

# As Known._make does it, but without a call of Python for each product.
_known: Callable[[Iterable[Any]], Known] = partial(tuple.__new__, Known)

_KNOWN = """
    SELECT id, code, code_key, name, description, category_id, quantity, minimum, version, retired_at
    FROM product WHERE code_key IN
"""
_IDS = "SELECT code_key, id FROM product WHERE code_key IN"
_BALANCES = "SELECT product_id, location_id, quantity FROM balance WHERE product_id IN"
_LOCK = (
    select(PRODUCT.c.id)
    .where(PRODUCT.c.id.in_(bindparam("products", expanding=True)))
    .order_by(PRODUCT.c.id)
    .with_for_update()
)
_CATEGORIES = select(CATEGORY.c.name_key, CATEGORY.c.id, CATEGORY.c.name)
_CATEGORIES_LOCKED = _CATEGORIES.with_for_update(read=True)
_LOCATIONS = select(LOCATION.c.name_key, LOCATION.c.id, LOCATION.c.name, LOCATION.c.is_default)
_LOCATIONS_LOCKED = _LOCATIONS.with_for_update(read=True)


def read_places(connection: Connection, *, locked: bool) -> Places:
    """Every category and location; ``locked`` sees what is committed now, whatever snapshot the transaction has."""
    wanted = (_CATEGORIES_LOCKED, _LOCATIONS_LOCKED) if locked else (_CATEGORIES, _LOCATIONS)
    categories = {key: (row_id, name) for key, row_id, name in connection.execute(wanted[0])}
    records = connection.execute(wanted[1]).all()
    default = next(Named(key, name) for key, _, name, is_default in records if is_default)
    return Places(categories, {key: (row_id, name) for key, row_id, name, _ in records}, default)


def read_known(connection: Connection, keys: Collection[str], *, locked: bool) -> dict[str, Known]:
    """The products with these keys; ``locked`` as in ``bulk_rows.select_in``."""
    found = {known.key: known for known in map(_known, select_in(connection, _KNOWN, keys, locked=locked))}
    for key, known in found.items():
        if known.retired_at is not None:
            found[key] = known._replace(retired_at=read_time(connection, known.retired_at))
    return found


def read_ids(connection: Connection, keys: Collection[str]) -> dict[str, int]:
    """The ids of the products with these keys."""
    return dict(map(tuple, select_in(connection, _IDS, keys, locked=False)))


def read_balances(
    connection: Connection, products: Collection[int], *, locked: bool
) -> Mapping[int, Mapping[int, int]]:
    """The quantities of these products by location; ``locked`` as in ``bulk_rows.select_in``."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for product_id, location_id, quantity in select_in(connection, _BALANCES, products, locked=locked):
        found[product_id][location_id] = quantity
    return found


def lock_products(connection: Connection, products: Iterable[int]) -> None:
    """Lock products by ascending id, which is the order in which every operation locks."""
    ascending = sorted(products)
    for start in range(0, len(ascending), ROWS_AT_ONCE):
        connection.execute(_LOCK, {"products": ascending[start : start + ROWS_AT_ONCE]}).all()
