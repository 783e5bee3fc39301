"""What an import must know of the stored rows, asked for in portions."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, bindparam, select

from inventory_core.imports.changes import Known, Places
from inventory_core.imports.row_rules import Named
from inventory_core.tables.plain import BALANCE, CATEGORY, LOCATION, PRODUCT

ROWS_AT_ONCE = 2_000

_KNOWN = select(
    PRODUCT.c.id,
    PRODUCT.c.code,
    PRODUCT.c.code_key,
    PRODUCT.c.name,
    PRODUCT.c.description,
    PRODUCT.c.category_id,
    PRODUCT.c.quantity,
    PRODUCT.c.minimum,
    PRODUCT.c.version,
    PRODUCT.c.retired_at,
).where(PRODUCT.c.code_key.in_(bindparam("keys", expanding=True)))
_KNOWN_LOCKED = _KNOWN.with_for_update()
_IDS = select(PRODUCT.c.code_key, PRODUCT.c.id).where(PRODUCT.c.code_key.in_(bindparam("keys", expanding=True)))
_LOCK = (
    select(PRODUCT.c.id)
    .where(PRODUCT.c.id.in_(bindparam("products", expanding=True)))
    .order_by(PRODUCT.c.id)
    .with_for_update()
)
_BALANCES = select(BALANCE.c.product_id, BALANCE.c.location_id, BALANCE.c.quantity).where(
    BALANCE.c.product_id.in_(bindparam("products", expanding=True))
)
_BALANCES_LOCKED = _BALANCES.with_for_update()
_CATEGORIES = select(CATEGORY.c.name_key, CATEGORY.c.id, CATEGORY.c.name)
_CATEGORIES_LOCKED = _CATEGORIES.with_for_update(read=True)
_LOCATIONS = select(LOCATION.c.name_key, LOCATION.c.id, LOCATION.c.name, LOCATION.c.is_default)
_LOCATIONS_LOCKED = _LOCATIONS.with_for_update(read=True)


def read_places(connection: Connection, *, locked: bool) -> Places:
    """Every category and location; ``locked`` as in ``read_known``."""
    wanted = (_CATEGORIES_LOCKED, _LOCATIONS_LOCKED) if locked else (_CATEGORIES, _LOCATIONS)
    categories = {key: (row_id, name) for key, row_id, name in connection.execute(wanted[0])}
    records = connection.execute(wanted[1]).all()
    default = next(Named(key, name) for key, _, name, is_default in records if is_default)
    return Places(categories, {key: (row_id, name) for key, row_id, name, _ in records}, default)


def read_known(connection: Connection, keys: Collection[str], *, locked: bool) -> dict[str, Known]:
    """The products with these keys. ``locked`` sees what is committed now, whatever snapshot the transaction has."""
    records = connection.execute(_KNOWN_LOCKED if locked else _KNOWN, {"keys": list(keys)})
    return {record[2]: Known._make(record) for record in records.all()}


def read_ids(connection: Connection, keys: Collection[str]) -> dict[str, int]:
    """The ids of the products with these keys."""
    records = connection.execute(_IDS, {"keys": list(keys)})
    return {record.code_key: record.id for record in records.all()}


def read_balances(
    connection: Connection, products: Collection[int], *, locked: bool
) -> Mapping[int, Mapping[int, int]]:
    """The quantities of these products by location."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    if products:
        records = connection.execute(_BALANCES_LOCKED if locked else _BALANCES, {"products": list(products)})
        for product_id, location_id, quantity in records.all():
            found[product_id][location_id] = quantity
    return found


def lock_products(connection: Connection, products: Iterable[int]) -> None:
    """Lock products by ascending id, which is the order in which every operation locks."""
    ascending = sorted(products)
    for start in range(0, len(ascending), ROWS_AT_ONCE):
        connection.execute(_LOCK, {"products": ascending[start : start + ROWS_AT_ONCE]}).all()
