"""The errors of the web, and the HTTP status of each error. ``i18n.error_messages`` has the texts."""

from typing import Any, ClassVar

from typing_extensions import override

import inventory_core as core
from inventory_replication import ReplicationError
from inventory_web.roles import Role


class WebError(Exception):
    """Root of the web's errors. ``code`` is stable and documented in ``docs/web-errors.md``."""

    code: ClassVar[str] = "WEB-000"

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles keep every attribute, independent of the arguments of a subclass.
        return _restore_error, (type(self), self.args), self.__dict__


def _restore_error(kind: type[WebError], args: tuple[object, ...]) -> WebError:
    return kind.__new__(kind, *args)


class SettingsRefused(WebError):
    """Settings are wrong or unsafe; ``lines`` has one line for each."""

    code = "WEB-001"

    def __init__(self, *lines: str) -> None:
        self.lines = lines
        super().__init__("; ".join(lines))


class TooManyLogins(WebError):
    """Too many failed logins; ``seconds`` is the time to wait."""

    code = "WEB-002"

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"too many failed logins; try again in {seconds} seconds")


class AccountRefused(WebError):
    """An account cannot be created or changed like this; ``faults`` names each field and the reason."""

    code = "WEB-003"

    def __init__(self, *faults: core.Fault) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.field}: {fault.reason}" for fault in faults))


class AccountNotFound(WebError):
    """There is no account with this name."""

    code = "WEB-004"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no account named {name!r}")


class PortTaken(WebError):
    """The server cannot listen on this address."""

    code = "WEB-005"

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host = host
        self.port = port
        self.reason = reason
        super().__init__(f"cannot listen on {host}:{port}: {reason}")


class RoleNeeded(WebError):
    """The page requires a higher role; ``admins`` are the users who can grant it."""

    code = "WEB-011"

    def __init__(self, needed: Role, has: Role, admins: tuple[str, ...]) -> None:
        self.needed = needed
        self.has = has
        self.admins = admins
        super().__init__(f"needs the role {needed.word}, has {has.word}")


class ClusterRefused(core.StorageRefused):
    """The replicated database is not available; ``cause`` is the error of ``inventory_replication``."""

    code = "WEB-010"

    def __init__(self, cause: ReplicationError) -> None:
        super().__init__(str(cause))
        self.cause = cause

    @property
    def may_read_again(self) -> bool:
        """Return whether only the server of the reader was lost, so that another one may answer."""
        return self.cause.code == "REP-015"


class ConfirmedChangeLost(ClusterRefused):
    """A confirmed change of an earlier request was lost with its source. Reported once."""


class JobAbandoned(WebError):
    """A job was given up because its instances died repeatedly while they worked on it."""

    code = "WEB-012"

    def __init__(self) -> None:
        super().__init__("each instance that worked on it ended meanwhile")


class ViewWithoutRole(WebError):
    """A view of ``plugin`` does not declare who may open it; ``endpoint`` names it."""

    code = "WEB-013"

    def __init__(self, plugin: str, endpoint: str) -> None:
        self.plugin = plugin
        self.endpoint = endpoint
        super().__init__(
            f"the view {endpoint} of {plugin} has no role: mark it with inventory_web.roles.requires or public"
        )


class HostNotAllowed(WebError):
    """The client used a host name that the settings do not list."""

    code = "WEB-014"

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(f"the host {host!r} is not in INVENTORY_HOSTS")


class JobQuotaReached(WebError):
    """An account has reached its limit of active jobs or stored bytes; ``reason`` is ``jobs`` or ``bytes``."""

    code = "WEB-015"

    def __init__(self, reason: str, limit: int) -> None:
        self.reason = reason
        self.limit = limit
        super().__init__(f"the account has reached its limit of {limit} {reason}")


def is_temporary(error: core.InventoryError | WebError) -> bool:
    """Return whether the same operation may succeed later, without a change by anyone."""
    temporary = (core.DatabaseBusy, core.StorageRefused, core.SchemaNotCurrent, core.CommitUnknown)
    return isinstance(error, temporary) and not isinstance(error, ConfirmedChangeLost)


def status_of(error: core.InventoryError | WebError) -> int:
    """Return the HTTP status of an error."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def code_of(error: core.InventoryError | WebError) -> str:
    """Return the error code for the user; for a refused cluster the code of its cause, which is more specific."""
    return error.cause.code if isinstance(error, ClusterRefused) else error.code


STATUS: dict[type[Exception], int] = {
    core.InvalidInput: 422,
    core.DuplicateCode: 422,
    core.ProductNotFound: 404,
    core.LocationNotFound: 422,
    core.MovementNotFound: 404,
    core.InsufficientStock: 422,
    core.QuantityLimit: 422,
    core.EditConflict: 409,
    core.CountConflict: 409,
    core.ProductRetired: 409,
    core.ProductsConflict: 409,
    core.SelectionChanged: 409,
    core.CannotUndo: 409,
    core.OperationReused: 409,
    core.ChangeRefused: 422,
    core.FileRefused: 422,
    core.RowsRefused: 422,
    core.DatabaseBusy: 503,
    core.StorageRefused: 503,
    core.CommitUnknown: 504,
    ConfirmedChangeLost: 409,
    core.SchemaNotCurrent: 503,
    TooManyLogins: 429,
    JobQuotaReached: 429,
    AccountRefused: 422,
    AccountNotFound: 404,
    RoleNeeded: 403,
    HostNotAllowed: 400,
}
"""Any other error is a fault of the program: 500."""
