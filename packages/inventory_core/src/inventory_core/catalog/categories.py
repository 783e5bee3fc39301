"""Find or add categories."""

from collections.abc import Iterable

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import DBAPIError

from inventory_core.database.dialects import DriverErrorKind, classify_driver_error
from inventory_core.models import CATEGORY
from inventory_core.rules.texts import sort_key
from inventory_core.stock.idempotency import UnitOfWork

# A row that another unit has just committed is seen by a locking read only, where the database keeps snapshots.
_BY_KEY = (
    select(CATEGORY.c.id, CATEGORY.c.name).where(CATEGORY.c.name_key == bindparam("key")).with_for_update(read=True)
)
_ADD = insert(CATEGORY)


def find_or_add_category(unit: UnitOfWork, name: str | None) -> tuple[int | None, str]:
    """Return id and name of the category, which is created if there is none with this name, ignoring case and accents.

    ``name`` is normalized and without faults (see ``rules.products``); None returns (None, "").
    """
    if name is None:
        return None, ""
    key = {"key": sort_key(name)}
    found = unit.connection.execute(_BY_KEY, key).first()
    if found is None:
        try:
            unit.connection.execute(_ADD, {"name": name, "name_key": key["key"]})
        except DBAPIError as error:
            if classify_driver_error(error) is not DriverErrorKind.DUPLICATE:
                raise
        found = unit.connection.execute(_BY_KEY, key).one()
    return found.id, found.name


def find_or_add_categories(unit: UnitOfWork, names: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Find or add many categories; return id and name of each by folded name (``rules.texts.sort_key``)."""
    found = {}
    for name in sorted(names, key=sort_key):
        key = sort_key(name)
        if key not in found:
            category_id, shown = find_or_add_category(unit, name)
            if category_id is not None:
                found[key] = (category_id, shown)
    return found
