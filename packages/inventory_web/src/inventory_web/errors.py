"""The web's own refusals, and the one table that says which status an error gets; ``refusals`` has the texts."""

from typing import Any, ClassVar

from typing_extensions import override

import inventory_core as core
from inventory_replication import ReplicationError
from inventory_web.auth.roles import Role


class WebError(Exception):
    """Root of the web's errors. ``code`` is stable and documented in ``docs/web-errors.md``."""

    code: ClassVar[str] = "WEB-000"

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles keep every attribute, whatever arguments a subclass takes.
        return _restore_error, (type(self), self.args), self.__dict__


def _restore_error(kind: type[WebError], args: tuple[object, ...]) -> WebError:
    return kind.__new__(kind, *args)


class SettingsRefused(WebError):
    """Settings are wrong or unsafe; ``lines`` says so, one line for each."""

    code = "WEB-001"

    def __init__(self, *lines: str) -> None:
        self.lines = lines
        super().__init__("; ".join(lines))


class TooManyLogins(WebError):
    """Too many failed logins; ``seconds`` says how long to wait."""

    code = "WEB-002"

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"too many failed logins; try again in {seconds} seconds")


class AccountRefused(WebError):
    """An account cannot be made or changed like this; ``faults`` names each field and why."""

    code = "WEB-003"

    def __init__(self, *faults: core.Fault) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.field}: {fault.reason}" for fault in faults))


class AccountNotFound(WebError):
    """No account has this name."""

    code = "WEB-004"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no account named {name!r}")


class PortTaken(WebError):
    """The server cannot listen there."""

    code = "WEB-005"

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host = host
        self.port = port
        self.reason = reason
        super().__init__(f"cannot listen on {host}:{port}: {reason}")


class RoleNeeded(WebError):
    """The page is for a higher role than the person has; ``admins`` are who can give it."""

    code = "WEB-011"

    def __init__(self, needed: Role, has: Role, admins: tuple[str, ...]) -> None:
        self.needed = needed
        self.has = has
        self.admins = admins
        super().__init__(f"needs the role {needed.word}, has {has.word}")


class ClusterRefused(core.StorageRefused):
    """The replicated database cannot serve; ``cause`` is the error of ``inventory_replication`` that says why."""

    code = "WEB-010"

    def __init__(self, cause: ReplicationError) -> None:
        super().__init__(str(cause))
        self.cause = cause

    @property
    def may_read_again(self) -> bool:
        """Whether a reader only lost its server, and another one may have the answer."""
        return self.cause.code == "REP-015"


class ConfirmedChangeLost(ClusterRefused):
    """A change of an earlier request was confirmed, and went down with its source. It is reported once."""


class WorkGivenUp(WebError):
    """A job whose instances ended again and again while they worked on it is not begun any more."""

    code = "WEB-012"

    def __init__(self) -> None:
        super().__init__("each instance that worked on it ended meanwhile")


class ViewWithoutRole(WebError):
    """A view of ``plugin`` does not say who may open it; it is named by its ``endpoint``."""

    code = "WEB-013"

    def __init__(self, plugin: str, endpoint: str) -> None:
        self.plugin = plugin
        self.endpoint = endpoint
        super().__init__(
            f"the view {endpoint} of {plugin} has no role: mark it with inventory_web.auth.roles.requires or public"
        )


class HostNotAllowed(WebError):
    """The client used a host name that the settings do not list."""

    code = "WEB-014"

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(f"the host {host!r} is not in INVENTORY_HOSTS")


class JobQuotaReached(WebError):
    """An account has as many jobs under way, or as many bytes stored, as it may; ``reason`` is ``jobs`` or ``bytes``."""

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
    """The code that a person is told: of a refused cluster that of its cause, which says more."""
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
"""What is not named here is a fault of the program: 500."""
