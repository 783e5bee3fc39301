"""A PyMySQL connection that collects the GTIDs of its commits."""

import enum
import os
import select
import threading
from contextlib import suppress
from io import BufferedReader
from socket import SHUT_RD, socket
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from pymysql import VERSION_STRING
from pymysql.connections import Connection, MySQLResult
from pymysql.constants import CLIENT, SERVER_STATUS
from pymysql.err import Error, OperationalError

from inventory_replication.mysql.deadline_reader import DeadlineReader, open_deadline_reader
from inventory_replication.mysql.session_state import SESSION_STATE_CHANGED, parse_session_state

TRACKING_ASSIGNMENTS = (
    "session_track_system_variables='session_track_gtids,transaction_read_only', session_track_gtids=OWN_GTID"
)
"""Part of the ``SET SESSION`` of every connection.

It also makes the server report both variables whenever they change, so each connection verifies that its tracking works and
notices when it is switched off, without a query of its own.
"""

MAX_TRACKED_GTIDS = 256
"""A connection that commits more often than this before its GTIDs are read drops them and reads the server's position."""


class GtidSource(enum.Enum):
    """Where the GTIDs of commits come from."""

    REPORTED = "reported"
    """The server reported exactly the commits of this connection: no round trip."""
    EXECUTED = "executed"
    """Read from ``@@GLOBAL.gtid_executed`` on this connection after the commits: a superset, one round trip."""
    UNKNOWN = "unknown"
    """A commit may be missing: the next read must go to the source."""


class CommittedGtids(NamedTuple):
    """What one connection committed, as the text of a GTID set; empty if nothing."""

    gtids: str
    gtid_source: GtidSource


class OkPacket(Protocol):
    """The parts of PyMySQL's ``OKPacketWrapper`` that are used."""

    server_status: int
    message: bytes


if TYPE_CHECKING:

    class _Driver(Connection):
        """The parts of PyMySQL that are overridden. They are not public API, so their behaviour is verified at run time."""

        server_capabilities: int
        server_status: int
        _result: MySQLResult | None
        _sock: socket
        _rfile: BufferedReader
        _read_timeout: float | None
        _write_timeout: float | None

        def __del__(self) -> None: ...
        def _force_close(self) -> None: ...
        def _get_server_information(self) -> None: ...
        def _request_authentication(self) -> None: ...
        def _write_bytes(self, data: bytes) -> None: ...
        def _read_ok_packet(self) -> OkPacket: ...
        def _read_query_result(self, *, unbuffered: bool = ...) -> int: ...

else:
    _Driver = Connection

_READ_ONLY_TRANSACTION = 1792
_LOST = 2013
_NOT_YET = "the server has not confirmed session_track_gtids=OWN_GTID on this connection"


class TrackingConnection(_Driver):
    """Negotiates session tracking if the server offers it, and collects the GTIDs in OK packets.

    Use a connection in one thread at a time. ``init_command`` must be a ``SET SESSION`` that contains ``TRACKING_ASSIGNMENTS``.
    Two limitations of PyMySQL are fixed: ``connect_timeout`` also applies to the greeting and login of a server that accepts but
    does not answer, and a packet that arrives byte by byte has an overall deadline.
    """

    tracking_fault: str | None = _NOT_YET
    """Why commits of this connection are not reported; ``None`` while they are."""
    read_only: bool = False
    """Whether the session's transactions are read-only, as last reported by the server."""

    commit_sent: bool = False
    """Whether a COMMIT was given to the driver since `reset_tracking`."""
    commit_confirmed: bool = False
    """Whether the last COMMIT succeeded."""

    _reader: DeadlineReader
    _usual_timeouts: tuple[float | None, float | None]
    _unreported = False
    _used = True
    _process: int | None = None
    _answer_seen = False
    _gtids: list[str]

    @property
    def answer_limit(self) -> float | None:
        """Seconds without a byte after which the driver gives up on an answer; ``None``: never."""
        return self._read_timeout

    def pop_committed_gtids(self) -> CommittedGtids:
        """Return what was committed since the last call, explicitly or implicitly. Call it after the commit.

        Sends nothing while tracking works. If it does not, or after a commit that the server never reports (a result set under
        autocommit, ``ANALYZE``, ``OPTIMIZE`` or ``REPAIR TABLE``), ``@@GLOBAL.gtid_executed`` is read. Never raises: the commits
        are done, and ``GtidSource.UNKNOWN`` says that their GTIDs are not known.
        """
        gtids, self._gtids = self._gtids, []
        if self.tracking_fault is None and not self._unreported:
            return CommittedGtids(",".join(gtids), GtidSource.REPORTED)
        try:
            with self.cursor() as cursor:
                cursor.execute("SELECT @@GLOBAL.gtid_executed")
                row = cursor.fetchone()
        except Error:
            return CommittedGtids(",".join(gtids), GtidSource.UNKNOWN)
        self._unreported = False
        executed = str(row[0]).replace("\n", "") if row else ""
        return CommittedGtids(executed, GtidSource.EXECUTED if executed else GtidSource.UNKNOWN)

    def reset_tracking(self) -> None:
        """Start anew, for the next unit of work on this connection."""
        self._gtids = []
        self._unreported = False
        self.commit_sent = self.commit_confirmed = False

    @property
    def has_committed(self) -> bool:
        """Whether anything was, or may have been, committed since `pop_committed_gtids` or `reset_tracking`."""
        return bool(self._gtids) or self._unreported or self.commit_confirmed

    def closed_by_peer(self) -> bool:
        """Return whether an idle connection is useless: the server closed it or sent something unexpected.

        Sends nothing and takes one system call. It detects a server that was stopped or killed, but not one that is silent.
        """
        if not self.open:
            return True
        poll = select.poll()
        poll.register(self._sock.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def commit(self) -> None:
        """Commit as PyMySQL does, and notice a driver that no longer reads the answer where reports are looked for."""
        self._answer_seen = False
        self.commit_confirmed = False
        self.commit_sent = True
        super().commit()
        self.commit_confirmed = True
        self._used = False
        if not self._answer_seen:
            self.tracking_fault = f"PyMySQL {VERSION_STRING} no longer reads the answer to COMMIT where it did"

    def rollback(self) -> None:
        """Roll back as PyMySQL does, but send nothing if nothing was sent since the last commit or rollback."""
        if self._used:
            super().rollback()
            self._used = False

    def _get_server_information(self) -> None:
        self._gtids = []
        self._process = os.getpid()
        self._usual_timeouts = self._read_timeout, self._write_timeout
        if self.connect_timeout is not None:
            self._read_timeout = min(self.connect_timeout, self._read_timeout or self.connect_timeout)
            self._write_timeout = min(self.connect_timeout, self._write_timeout or self.connect_timeout)
        self._read_patiently()
        super()._get_server_information()

    def _request_authentication(self) -> None:
        if self.server_capabilities & CLIENT.SESSION_TRACK:
            self.client_flag |= CLIENT.SESSION_TRACK
        else:
            self.client_flag &= ~CLIENT.SESSION_TRACK
            self.tracking_fault = "the server, or a proxy before it, does not offer session tracking"
        super()._request_authentication()
        self._read_timeout, self._write_timeout = self._usual_timeouts
        self._read_patiently()

    def _read_patiently(self) -> None:
        """Replace the driver's reader, whose buffer is empty now: the server is waiting for us."""
        self._rfile.close()
        self._rfile, self._reader = open_deadline_reader(self._sock)

    def _write_bytes(self, data: bytes) -> None:
        if self._process != os.getpid():
            self._force_close()
            raise OperationalError(_LOST, "the connection belongs to another process, which this one was forked from")
        self._used = True
        self._reader.begin()
        super()._write_bytes(data)

    def _read_ok_packet(self) -> OkPacket:
        ok = super()._read_ok_packet()
        self._answer_seen = True
        if ok.server_status & SESSION_STATE_CHANGED:
            self._note_session_state(ok.message)
        return ok

    def _read_query_result(self, *, unbuffered: bool = False) -> int:
        affected = super()._read_query_result(unbuffered=unbuffered)
        result = self._result
        if result is None:
            self._unreported = True
        elif result.server_status is not None:
            if result.server_status & SESSION_STATE_CHANGED:
                self._note_session_state(cast(bytes, result.message))
        elif self.server_status & _AUTOCOMMIT_OR_OPEN == SERVER_STATUS.SERVER_STATUS_AUTOCOMMIT or _maintains_tables(
            result
        ):
            self._unreported = True
        return affected

    def __del__(self) -> None:
        """In a forked process, drop the parent's connection without sending anything to its server."""
        if self.open and self._process != os.getpid():
            self._force_close()
        else:
            super().__del__()

    def _note_session_state(self, tail: bytes) -> None:
        if not self.client_flag & CLIENT.SESSION_TRACK:
            return
        try:
            state = parse_session_state(tail)
        except (ValueError, TypeError):
            # The statement succeeded; only its report is lost.
            self._unreported = True
            return
        self._gtids += state.gtids
        if len(self._gtids) > MAX_TRACKED_GTIDS:
            self._gtids = []
            self._unreported = True
        tracked = state.variables.get("session_track_gtids")
        if tracked == "OWN_GTID":
            self.tracking_fault = None
        elif tracked is not None:
            self.tracking_fault = f"session_track_gtids is {tracked} in this session"
            self._unreported = True
        read_only = state.variables.get("transaction_read_only")
        if read_only is not None:
            self._note_read_only(on=read_only == "ON")

    def _note_read_only(self, *, on: bool) -> None:
        self.read_only = on


class ReadOnlyConnection(TrackingConnection):
    """A connection for readers, which closes itself as soon as its session is made writable.

    Its ``init_command`` must contain ``transaction_read_only=ON``. Without session tracking the server does not report changes,
    and ``SET SESSION TRANSACTION READ ONLY`` has to be repeated before each use.
    """

    _ended = False

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._closing = threading.Lock()
        super().__init__(*arguments, **named)

    def interrupt_readers(self, since: float) -> bool:
        """Interrupt the wait for an answer, if there is one and nothing has arrived since that monotonic time.

        Thread-safe. The waiting thread gets the error of a lost connection at once. Nothing is sent, and the call does not wait.

        Returns:
            Whether a wait was interrupted.
        """
        if self._process != os.getpid():
            return False
        with self._closing:
            # Within the lock: the number of a socket that is closed meanwhile may be reused.
            if self._ended or not self.open or not self._reader.is_silent_since(since):
                return False
            with suppress(OSError):
                # Not the method of an SSLSocket, which would first remove the encryption for a thread that is sending now. And only
                # for reading: OpenSSL 3.2 and later would leave the error of its failed farewell in the thread's queue, and Python
                # would take it for an error of the next connection that the thread reads from.
                socket.shutdown(self._sock, SHUT_RD)
            self._ended = True
            return True

    def closed_by_peer(self) -> bool:
        """Return whether the connection is useless; one that was interrupted always is."""
        return self._ended or super().closed_by_peer()

    def _force_close(self) -> None:
        if self._process == os.getpid():
            with self._closing:
                super()._force_close()
        else:
            # The thread that held the lock may not exist in this process.
            super()._force_close()

    def _note_read_only(self, *, on: bool) -> None:
        super()._note_read_only(on=on)
        if not on:
            self._force_close()
            raise OperationalError(
                _READ_ONLY_TRANSACTION,
                "A reader's session was set to READ WRITE; the connection has been closed. Write through sessions.write(work).",
            )


_AUTOCOMMIT_OR_OPEN = SERVER_STATUS.SERVER_STATUS_AUTOCOMMIT | SERVER_STATUS.SERVER_STATUS_IN_TRANS

_MAINTENANCE_COLUMNS = ["Table", "Op", "Msg_type", "Msg_text"]


def _maintains_tables(result: MySQLResult) -> bool:
    """Return whether a result set is that of ``ANALYZE TABLE`` or similar, which commit and are never reported."""
    if result.field_count != len(_MAINTENANCE_COLUMNS):
        return False
    return [column[0] for column in result.description] == _MAINTENANCE_COLUMNS
