"""The errors of the core: one root, a stable code each, and messages that say what to do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from typing_extensions import override

from inventory_core.records import Record, json_value


class ErrorKind(StrEnum):
    """What a caller can do about an error."""

    NOT_FOUND = "not_found"
    """There is nothing with this code, name or id."""
    CONFLICT = "conflict"
    """The stored state does not allow it, or is not the one that the caller saw: read it and decide again."""
    INVALID = "invalid"
    """The request, the file or the program is wrong, or a plugin refuses it."""
    BUSY = "busy"
    """Nothing was changed; try again."""
    STORAGE = "storage"
    """The database cannot be used, or its answer was lost."""


@dataclass(frozen=True, slots=True)
class Fault(Record):
    """One thing that is wrong with one value.

    ``field`` is the name of the field (``code``, ``quantity`` …), ``reason`` a stable key (``required``, ``too_long``,
    ``characters``, ``invisible``, ``wrong_type``, ``not_whole``, ``negative``, ``too_large``, ``zero``, ``unknown``,
    ``duplicate`` …), ``value`` the rejected value (cut to 80 characters), ``limit`` the limit of that reason, if any.
    """

    field: str
    reason: str
    value: str = ""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class ChangedProduct(Record):
    """A product that changed since it was seen: the version that was seen (None: any), and what is stored now."""

    id: int
    code: str
    name: str
    expected_version: int | None
    current_version: int
    category: str | None
    minimum: int
    retired: bool


class InventoryError(Exception):
    """Root of the core's errors. ``code`` is stable and documented in ``docs/errors.md``.

    Nothing was changed, except perhaps with ``CommitUnknown``.
    Errors can be pickled and copied with their attributes, as a process pool does with them.
    """

    code: ClassVar[str] = "INV-000"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID

    def as_dict(self) -> dict[str, Any]:
        """Return code, kind, message and every attribute as JSON values."""
        details = {name: json_value(value) for name, value in vars(self).items() if not name.startswith("_")}
        return {"code": self.code, "kind": self.kind.value, "message": str(self), **details}

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_error, (type(self), self.args), self.__dict__


def _restore_error(kind: type[InventoryError], args: tuple[object, ...]) -> InventoryError:
    """Create an error from its message; ``pickle`` then restores the attributes."""
    return kind.__new__(kind, *args)


class InvalidInput(InventoryError):
    """Values break a rule; ``faults`` holds every one of them."""

    code = "INV-001"
    kind = ErrorKind.INVALID

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.field}: {fault.reason}" for fault in faults))


class DuplicateCode(InventoryError):
    """Another product has this code, in whatever case it is written."""

    code = "INV-002"
    kind = ErrorKind.CONFLICT

    def __init__(self, product_code: str) -> None:
        self.product_code = product_code
        super().__init__(f"the code {product_code!r} is taken by another product; choose another one")


class ProductNotFound(InventoryError):
    """No product has this code."""

    code = "INV-003"
    kind = ErrorKind.NOT_FOUND

    def __init__(self, product_code: str) -> None:
        self.product_code = product_code
        super().__init__(f"there is no product with the code {product_code!r}")


class LocationNotFound(InventoryError):
    """No location has this name."""

    code = "INV-004"
    kind = ErrorKind.NOT_FOUND

    def __init__(self, location: str) -> None:
        self.location = location
        super().__init__(f"there is no location named {location!r}")


class MovementNotFound(InventoryError):
    """No movement, or no import, has this id."""

    code = "INV-005"
    kind = ErrorKind.NOT_FOUND

    def __init__(self, movement: str) -> None:
        self.movement = movement
        super().__init__(f"there is no movement {movement!r}")


class InsufficientStock(InventoryError):
    """The location has less than was requested."""

    code = "INV-006"
    kind = ErrorKind.CONFLICT

    def __init__(self, product_code: str, location: str, available: int, requested: int) -> None:
        self.product_code = product_code
        self.location = location
        self.available = available
        self.requested = requested
        super().__init__(
            f"insufficient stock of {product_code!r} at {location!r}: {available} available, {requested} requested"
        )


class QuantityLimit(InventoryError):
    """The balance would exceed its limit."""

    code = "INV-007"
    kind = ErrorKind.CONFLICT

    def __init__(self, product_code: str, limit: int) -> None:
        self.product_code = product_code
        self.limit = limit
        super().__init__(f"the quantity of {product_code!r} would exceed {limit}")


class EditConflict(InventoryError):
    """Another user edited the product since ``expected_version``; compare ``current_version`` and decide again."""

    code = "INV-008"
    kind = ErrorKind.CONFLICT

    def __init__(self, product_code: str, expected_version: int, current_version: int) -> None:
        self.product_code = product_code
        self.expected_version = expected_version
        self.current_version = current_version
        super().__init__(
            f"{product_code!r} is now version {current_version}, the edit was made on version {expected_version}"
        )


class CountConflict(InventoryError):
    """The quantity is not the expected one any more: it changed since the count, or since the form was shown."""

    code = "INV-009"
    kind = ErrorKind.CONFLICT

    def __init__(self, product_code: str, location: str, expected: int, current: int) -> None:
        self.product_code = product_code
        self.location = location
        self.expected = expected
        self.current = current
        super().__init__(f"the quantity of {product_code!r} at {location!r} is now {current}, not {expected}")


class ProductRetired(InventoryError):
    """The product is retired; restore it first."""

    code = "INV-010"
    kind = ErrorKind.CONFLICT

    def __init__(self, product_code: str) -> None:
        self.product_code = product_code
        super().__init__(f"{product_code!r} is retired; restore it first")


class CannotUndo(InventoryError):
    """The movement or import cannot be undone.

    ``reason``: ``already_undone``, ``is_undo``, ``changed_nothing`` or ``edited_since`` (``product_code`` then names the product).
    """

    code = "INV-011"
    kind = ErrorKind.CONFLICT

    def __init__(self, reason: str, product_code: str = "") -> None:
        self.reason = reason
        self.product_code = product_code
        super().__init__(f"cannot be undone: {reason}{f' ({product_code})' if product_code else ''}")


class OperationReused(InventoryError):
    """The operation id was already used for another request or by another actor; use a new id for each request."""

    code = "INV-012"
    kind = ErrorKind.CONFLICT

    def __init__(self, operation: str) -> None:
        self.operation = operation
        super().__init__(f"the operation id {operation!r} was already used for another request or by another actor")


class ChangeRefused(InventoryError):
    """A ``check_*`` hook refused; ``reason`` is its text."""

    code = "INV-013"
    kind = ErrorKind.INVALID

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class FileRefused(InventoryError):
    """The file as a whole cannot be imported; ``reason`` is a stable key, ``detail`` names the column, sheet or limit."""

    code = "INV-014"
    kind = ErrorKind.INVALID

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"the file cannot be imported: {reason}{f' ({detail})' if detail else ''}")


class RowsRefused(InventoryError):
    """Rows of the file break rules; nothing was imported. ``faults`` holds them (``RowFault``)."""

    code = "INV-015"
    kind = ErrorKind.INVALID

    def __init__(self, faults: tuple[object, ...], total: int) -> None:
        self.faults = faults
        self.total = total
        super().__init__(f"{total} values of the file are wrong; nothing was imported")


class DatabaseBusy(InventoryError):
    """The database stayed locked in every attempt; try again. ``__cause__`` is the driver's last error."""

    code = "INV-016"
    kind = ErrorKind.BUSY

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts
        times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        super().__init__(f"the database is still busy after {times}; try again")


class StorageRefused(InventoryError):
    """The database cannot be read or written: disk full, read-only, no such folder, unreachable server."""

    code = "INV-017"
    kind = ErrorKind.STORAGE

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(f"the database cannot be used: {detail}")


class SchemaNotCurrent(InventoryError):
    """The schema is older than this program (run ``inventory migrate``), or ``newer``, which requires a newer program."""

    code = "INV-018"
    kind = ErrorKind.STORAGE

    def __init__(self, found: str | None, wanted: str, *, newer: bool = False) -> None:
        self.found = found
        self.wanted = wanted
        self.newer = newer
        cure = "this program is too old for it; install a newer one" if newer else "run: inventory migrate"
        super().__init__(f"the schema is at {found or 'nothing'}, {wanted} is needed; {cure}")


class ReadOnlyUnit(InventoryError):
    """Raised for a write in a session of ``reader()``; use ``write(work)``."""

    code = "INV-019"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("this session only reads; use sessions.write(work) to change something")


class ProductsConflict(InventoryError):
    """Some of the products to change were edited or retired since they were seen; ``products`` has every one of them."""

    code = "INV-020"
    kind = ErrorKind.CONFLICT

    def __init__(self, products: tuple[ChangedProduct, ...]) -> None:
        self.products = products
        codes = ", ".join(repr(product.code) for product in products[:5])
        super().__init__(f"{len(products)} products were changed by another user: {codes}; check them and decide again")


class SelectionChanged(InventoryError):
    """The filter matches ``current`` products instead of the ``seen`` ones that were to be changed; decide again."""

    code = "INV-021"
    kind = ErrorKind.CONFLICT

    def __init__(self, seen: int, current: int) -> None:
        self.seen = seen
        self.current = current
        super().__init__(f"the filter now matches {current} products, not {seen}")


class TransactionMisuse(InventoryError):
    """Work inside ``write(work)`` began another write or ended the transaction; its changes are rolled back.

    ``action``: ``nested``, ``commit``, ``rollback`` or ``close``.
    """

    code = "INV-022"
    kind = ErrorKind.INVALID

    def __init__(self, action: str) -> None:
        self.action = action
        nested = "a unit of work is running in this thread already; end it before the next one begins"
        ended = f"work must not call {action}(): write(work) commits when work returns and rolls back when it raises"
        super().__init__(nested if action == "nested" else ended)


class CommitUnknown(InventoryError):
    """The connection was lost after COMMIT was sent and before its answer: the change is stored, or it is not.

    Operations with an id resolve it themselves for some seconds before they raise it. Retries with the same id are safe.
    """

    code = "INV-023"
    kind = ErrorKind.STORAGE

    def __init__(self) -> None:
        super().__init__(
            "the connection was lost while the change was being stored, so it may be stored or not; "
            "repeat it with the same operation id"
        )
