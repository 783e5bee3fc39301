"""Find or add locations."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import DBAPIError

from inventory_core.context import InventoryContext
from inventory_core.database.dialects import DriverErrorKind, classify_driver_error
from inventory_core.errors import Fault, InvalidInput
from inventory_core.models import LOCATION
from inventory_core.rules.arguments import check_arguments, request_faults
from inventory_core.rules.products import location_faults, normalize_location
from inventory_core.rules.texts import sort_key
from inventory_core.stock.idempotency import UnitOfWork, run_idempotent

_BY_KEY = (
    select(LOCATION.c.id, LOCATION.c.name).where(LOCATION.c.name_key == bindparam("key")).with_for_update(read=True)
)
_ADD = insert(LOCATION)


@check_arguments
def add_location(inventory: InventoryContext, *, name: str, actor: str, operation: str) -> str:
    """Add a location; return its normalized name.

    Raises ``InvalidInput`` (``duplicate`` if a location has this name without case and accents) or ``OperationReused``.
    """
    name = normalize_location(name)
    if faults := [*location_faults(name), *request_faults(operation, actor)]:
        raise InvalidInput(*faults)

    def work(unit: UnitOfWork) -> str:
        if not _add(unit, name):
            raise InvalidInput(Fault("location", "duplicate", name))
        return name

    return run_idempotent(
        inventory,
        operation=operation,
        operation_type="add_location",
        actor=actor,
        request={"name": name},
        work=work,
        encode=lambda added: {"name": added},
        decode=_read_name,
    )


def find_or_add_locations(unit: UnitOfWork, names: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Find or add locations; return id and name of each by folded name (``rules.texts.sort_key``).

    ``names`` are normalized and without faults (see ``rules.products``).
    """
    found: dict[str, tuple[int, str]] = {}
    for name in sorted(names, key=sort_key):
        key = sort_key(name)
        if key in found:
            continue
        location = unit.connection.execute(_BY_KEY, {"key": key}).first()
        if location is None:
            _add(unit, name)
            location = unit.connection.execute(_BY_KEY, {"key": key}).one()
        found[key] = (location.id, location.name)
    return found


def _add(unit: UnitOfWork, name: str) -> bool:
    try:
        unit.connection.execute(_ADD, {"name": name, "name_key": sort_key(name)})
    except DBAPIError as error:
        if classify_driver_error(error) is not DriverErrorKind.DUPLICATE:
            raise
        return False
    return True


def _read_name(fields: dict[str, Any]) -> str:
    return str(fields["name"])
