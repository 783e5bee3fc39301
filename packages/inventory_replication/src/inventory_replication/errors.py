"""Errors of the package, one class per cause, each with a stable code and a message that says what to do."""

from typing import Any, ClassVar


class ReplicationError(Exception):
    """Base class of all errors that this package raises.

    ``code`` is stable across releases. ``str()`` is the message followed by the code, on one line. Errors of the driver and of
    SQLAlchemy are not wrapped if the caller needs to distinguish them: an integrity error stays one.

    Args:
        message: What happened and what to do; by default the message of the class.
    """

    code: ClassVar[str] = "REP-000"
    default_message: ClassVar[str] = "The replicated database could not be used."

    def __init__(self, message: str = "") -> None:
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles keep every attribute, whatever arguments a subclass takes.
        return restore_error, (type(self), self.args), self.__dict__

    @property
    def message(self) -> str:
        """The message without the code."""
        return str(self.args[0]) if self.args and self.args[0] else self.default_message

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


def restore_error(kind: type[Exception], args: tuple[object, ...]) -> Exception:
    """Recreate an unpickled error; its attributes follow."""
    return kind.__new__(kind, *args)


class ConfigurationError(ReplicationError, ValueError):
    """A setting is wrong. The message names it and its valid values. Raised on creation of the value, never in a request."""

    code = "REP-001"
    default_message = "The configuration of the replicated database is wrong."


class SourceUnavailable(ReplicationError):
    """No server is proved to be the source: nothing can be written and nothing was. Retry later; nothing is queued."""

    code = "REP-002"
    default_message = (
        "No server accepts writes at the moment; nothing was changed. Try again shortly. "
        "If it lasts, run `inventory-replication status` to see which server is missing."
    )


class NoEligibleReplica(ReplicationError):
    """Neither a replica that may serve this read nor a source was found."""

    code = "REP-003"
    default_message = (
        "No server can serve this read within its staleness bound. Try again shortly, or allow an older state for this read. "
        "`inventory-replication status` shows the staleness of each replica."
    )


class CausalTimeout(ReplicationError):
    """The caller's last change did not arrive within the time limit, and an older state must not be shown."""

    code = "REP-004"
    default_message = (
        "Your last change has not reached a readable server yet, and an older state is not shown. "
        "The change is not lost: read again in a moment."
    )


class ReadOnlyUnitError(ReplicationError):
    """A read-only unit of work tried to write, to lock or to call what may write; nothing was sent to the server."""

    code = "REP-005"
    default_message = "A reader must not write or lock. Do that in `write(work)`."


class CommitUnknown(ReplicationError):
    """The connection was lost after COMMIT was sent and before its answer: the change may or may not be stored.

    This package never retries it. Check whether the change is there, or retry with the same idempotency key.
    """

    code = "REP-006"
    default_message = (
        "The connection was lost while the change was being stored, so it may or may not be there. "
        "Check before you repeat it, or repeat it with the same operation key."
    )


class LostWriteDetected(ReplicationError):
    """Confirmed changes were lost with a former source: the present source does not have them and never will.

    Args:
        message: What happened and what to do.
        gtids: The lost transactions as the text of a GTID set.
    """

    code = "REP-007"
    default_message = (
        "A change that had been confirmed is missing on the new source. Check your last entries and repeat what is missing; "
        "the operator finds the transactions on the former source."
    )

    def __init__(self, message: str = "", *, gtids: str = "") -> None:
        super().__init__(message)
        self.gtids = gtids


class SplitBrainDetected(SourceUnavailable):
    """More than one server accepts writes, so none of them is written to.

    Args:
        message: What happened and what to do.
        servers: Names of the writable servers.
    """

    code = "REP-008"
    default_message = (
        "More than one server accepts writes, so none is used for writing. "
        "Set super_read_only=ON on all but the true source."
    )

    def __init__(self, message: str = "", *, servers: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.servers = servers


class ProvisioningRefused(ReplicationError):
    """A provisioning step would endanger data or cannot work; no server was changed by it."""

    code = "REP-009"
    default_message = "The server cannot become a replica as it is; nothing was changed."


class InvalidGtidSet(ReplicationError, ValueError):
    """A text is not a GTID set, or is too long."""

    code = "REP-010"
    default_message = "This is not a GTID set such as 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5."


class ServerUnsuitable(ReplicationError):
    """A server answers but cannot take part: GTIDs are off, it replicates from another source, or its identity is not unique.

    Args:
        message: What happened and what to do.
        server: Name of the server.
    """

    code = "REP-011"
    default_message = "A server cannot take part in this cluster; run `inventory-replication verify`."

    def __init__(self, message: str = "", *, server: str = "") -> None:
        super().__init__(message)
        self.server = server


class AccessRefused(ReplicationError):
    """A server is alive but refuses the login: password, privileges, certificate, or no connection left.

    Args:
        message: What happened and what to do.
        server: Name of the server.
    """

    code = "REP-012"
    default_message = "A server refused the login; check account, password, certificate and max_connections."

    def __init__(self, message: str = "", *, server: str = "") -> None:
        super().__init__(message)
        self.server = server


class SwitchoverRefused(ReplicationError):
    """A planned switchover was not started, or was rolled back: the source is unchanged."""

    code = "REP-013"
    default_message = "The switchover was refused and the source is unchanged."


class DatabaseBusy(ReplicationError):
    """All attempts to store a change failed: locks, deadlocks, no free connection, or no answer in time.

    Nothing was changed; retry later.
    """

    code = "REP-014"
    default_message = "The database is busy and the change was not stored. Nothing was changed: try again in a moment."


class ServerLost(ReplicationError):
    """A reader lost its server during a unit of work. Discard what it has read, and read again.

    Args:
        message: What happened and what to do.
        server: Name of the server.
    """

    code = "REP-015"
    default_message = "The connection was lost while reading. Read again: another server will answer."

    def __init__(self, message: str = "", *, server: str = "") -> None:
        super().__init__(message)
        self.server = server


class UnitOfWorkMisused(ReplicationError, RuntimeError):
    """The program broke a rule of units of work, such as a write inside a write; the call changed nothing. Fix the program.

    Args:
        message: What happened and what to do.
        action: ``nested``, ``commit``, ``rollback``, ``close`` or ``streaming``.
    """

    code = "REP-016"
    default_message = "A unit of work was used in a way that is not allowed; nothing was changed."

    def __init__(self, message: str = "", *, action: str = "") -> None:
        super().__init__(message)
        self.action = action


ALL_ERRORS: tuple[type[ReplicationError], ...] = (
    ConfigurationError,
    SourceUnavailable,
    NoEligibleReplica,
    CausalTimeout,
    ReadOnlyUnitError,
    CommitUnknown,
    LostWriteDetected,
    SplitBrainDetected,
    ProvisioningRefused,
    InvalidGtidSet,
    ServerUnsuitable,
    AccessRefused,
    SwitchoverRefused,
    DatabaseBusy,
    ServerLost,
    UnitOfWorkMisused,
)
"""All error classes in the order of their codes."""
