"""Probes one server with the monitor's account: its identity, whether it accepts writes, and its position."""

import json
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from pymysql.err import Error

from inventory_replication.config import Credentials, MonitorPolicy, Server
from inventory_replication.decisions.error_kinds import ErrorKind
from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.decisions.snapshot import (
    RECORD_SCHEMA,
    RECORD_TABLE,
    NoAnswer,
    ReplicationChannel,
    ServerFacts,
    SourceRecord,
)
from inventory_replication.mysql.connection import TrackingConnection
from inventory_replication.mysql.diagnostics import classify_exception, explain

PROBE_QUERY = """
SELECT @@server_uuid, @@server_id, @@version, @@read_only, @@super_read_only, @@gtid_mode,
  @@GLOBAL.gtid_executed, @@GLOBAL.gtid_purged,
  (SELECT JSON_ARRAYAGG(JSON_OBJECT(
      'name', c.CHANNEL_NAME, 'host', c.HOST, 'port', c.PORT, 'auto_position', c.AUTO_POSITION,
      'source_uuid', s.SOURCE_UUID, 'receiver', s.SERVICE_STATE,
      'receiver_number', s.LAST_ERROR_NUMBER, 'receiver_text', s.LAST_ERROR_MESSAGE,
      'applier', a.SERVICE_STATE,
      'stopped', (SELECT COUNT(*) FROM performance_schema.replication_applier_status_by_worker w
        WHERE w.CHANNEL_NAME = c.CHANNEL_NAME AND w.SERVICE_STATE <> 'ON')
        + (SELECT COUNT(*) FROM performance_schema.replication_applier_status_by_coordinator o
        WHERE o.CHANNEL_NAME = c.CHANNEL_NAME AND o.SERVICE_STATE <> 'ON'),
      'worker_error', (SELECT CONCAT(w.LAST_ERROR_NUMBER, ': ', w.LAST_ERROR_MESSAGE)
        FROM performance_schema.replication_applier_status_by_worker w
        WHERE w.CHANNEL_NAME = c.CHANNEL_NAME AND w.LAST_ERROR_NUMBER <> 0 LIMIT 1),
      'coordinator_error', (SELECT CONCAT(o.LAST_ERROR_NUMBER, ': ', o.LAST_ERROR_MESSAGE)
        FROM performance_schema.replication_applier_status_by_coordinator o
        WHERE o.CHANNEL_NAME = c.CHANNEL_NAME AND o.LAST_ERROR_NUMBER <> 0 LIMIT 1)))
    FROM performance_schema.replication_connection_configuration c
    JOIN performance_schema.replication_connection_status s USING (CHANNEL_NAME)
    JOIN performance_schema.replication_applier_status a USING (CHANNEL_NAME)),
  (SELECT JSON_OBJECTAGG(VARIABLE_NAME, VARIABLE_VALUE) FROM performance_schema.global_status
    WHERE VARIABLE_NAME IN ('Rpl_semi_sync_source_status', 'Rpl_semi_sync_replica_status')),
  TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1e6
"""
"""One round trip. Needs SELECT on the tables of performance_schema that it names, and nothing else."""

RECORD_QUERY = f"SELECT epoch, server_uuid FROM {RECORD_SCHEMA}.{RECORD_TABLE} ORDER BY epoch DESC LIMIT 1"  # noqa: S608 - constants
RECORD_INTERVAL_SECONDS = 10.0
"""Time after which the record is read again even if the server's role has not changed."""

_NO_RECORD = frozenset({1044, 1049, 1142, 1143, 1146})
"""Errors if the table does not exist or the account may not read it."""


@dataclass(frozen=True, slots=True)
class ServerReport:
    """The answer of one server.

    Args:
        facts: The input of decisions.
        version: ``@@version``, as the server writes it.
        gtid_mode: ``ON``, ``OFF``, ``ON_PERMISSIVE`` or ``OFF_PERMISSIVE``.
        purged: ``@@gtid_purged``: what it can no longer send to a new replica.
        without_auto_position: Channels that do not use GTID auto-position.
        semisync_source: Whether semisynchronous replication is active on its source side; ``None``: not installed.
        semisync_replica: The same for its replica side.
        clock_ahead: Seconds by which its clock is ahead of this process's; 0 if the duration of the probe could explain it.
    """

    facts: ServerFacts
    version: str
    gtid_mode: str
    purged: GtidSet
    without_auto_position: tuple[str, ...] = ()
    semisync_source: bool | None = None
    semisync_replica: bool | None = None
    clock_ahead: float = 0.0


class Probe:
    """One monitor connection to one server, opened at the first query and again after each failure.

    Use it in one thread. A query takes at most about the connect time-out plus three read time-outs.

    Args:
        server: The server.
        account: The monitor's account.
        tls: See `build_engine`.
        policy: Its time-outs are used.
    """

    def __init__(
        self, server: Server, account: Credentials, *, tls: ssl.SSLContext | None, policy: MonitorPolicy | None = None
    ) -> None:
        self.server = server
        self._account = account
        self._tls = tls
        self._policy = policy or MonitorPolicy()
        self._connection: TrackingConnection | None = None
        self._record: SourceRecord | None = None
        self._record_read: tuple[object, float] | None = None

    def query(self) -> ServerReport | NoAnswer:
        """Probe once. Never raises because of the server or the network."""
        used_before = self._connection is not None
        try:
            if self._connection is None:
                self._connection = self._connect()
            with self._connection.cursor() as cursor:
                sent = time.time()
                cursor.execute(PROBE_QUERY)
                row = cursor.fetchone()
                report = _report(row, sent, time.time())
                self._read_record(cursor, report.facts)
            return replace(report, facts=replace(report.facts, record=self._record))
        except (Error, ValueError) as fault:
            self.close()
            if used_before and classify_exception(fault) is ErrorKind.LOST:
                # An old connection was closed, which says nothing about the server: probe it over a new one.
                return self.query()
            return explain(fault, self.server, self._account)

    def close(self) -> None:
        """Close the connection, if there is one; the next query opens another."""
        connection, self._connection = self._connection, None
        self._record_read = None
        if connection is not None:
            with suppress(Error):
                connection.close()

    def _read_record(self, cursor: Any, facts: ServerFacts) -> None:
        """Read the record on a new connection, after a change of the server's role, and at intervals."""
        role = (facts.server_uuid, facts.writable, tuple(channel.source_uuid for channel in facts.channels))
        now = time.monotonic()
        if self._record_read and self._record_read[0] == role and now - self._record_read[1] < RECORD_INTERVAL_SECONDS:
            return
        try:
            cursor.execute(RECORD_QUERY)
            row = cursor.fetchone()
        except Error as fault:
            if not fault.args or fault.args[0] not in _NO_RECORD:
                raise
            row = None
        self._record = SourceRecord(int(row[0]), str(row[1])) if row else None
        self._record_read = (role, now)

    def _connect(self) -> TrackingConnection:
        security: dict[str, Any] = {"ssl_disabled": True} if self._tls is None else {"ssl": self._tls}
        return TrackingConnection(
            host=self.server.host,
            port=self.server.port,
            user=self._account.user,
            password=self._account.password,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=self._policy.connect_timeout,
            read_timeout=self._policy.read_timeout,
            write_timeout=self._policy.read_timeout,
            program_name="inventory-replication monitor",
            **security,
        )


def _report(row: Any, sent: float, answered: float) -> ServerReport:
    if row is None:
        raise ValueError("an empty answer")
    uuid, server_id, version, read_only, super_read_only, gtid_mode, executed, purged, channels, semisync, clock = row
    described = json.loads(channels) if channels else []
    status = json.loads(semisync) if semisync else {}
    facts = ServerFacts(
        server_uuid=uuid,
        server_id=server_id,
        read_only=bool(read_only),
        super_read_only=bool(super_read_only),
        gtids_on=gtid_mode == "ON",
        executed=GtidSet.parse(executed),
        channels=tuple(_channel(each) for each in described),
    )
    return ServerReport(
        facts=facts,
        version=version,
        gtid_mode=gtid_mode,
        purged=GtidSet.parse(purged),
        without_auto_position=tuple(each["name"] for each in described if str(each["auto_position"]) != "1"),
        semisync_source=_switch(status.get("Rpl_semi_sync_source_status")),
        semisync_replica=_switch(status.get("Rpl_semi_sync_replica_status")),
        clock_ahead=seconds_ahead(float(clock), sent, answered),
    )


def seconds_ahead(clock: float, sent: float, answered: float) -> float:
    """Return how far a server's clock, read between two times of this machine, is ahead; 0 if that is not certain."""
    return clock - sent if clock < sent else max(0.0, clock - answered)


def _channel(described: dict[str, Any]) -> ReplicationChannel:
    receiver_error = (
        f"{described['receiver_number']}: {described['receiver_text']}" if described["receiver_number"] else ""
    )
    return ReplicationChannel(
        source_uuid=described["source_uuid"] or "",
        receiver_running=described["receiver"] == "ON",
        applier_running=described["applier"] == "ON" and described["stopped"] == 0,
        name=described["name"],
        source_address=f"{described['host']}:{described['port']}",
        receiver_enabled=described["receiver"] != "OFF",
        receiver_error=receiver_error,
        applier_error=described["worker_error"] or described["coordinator_error"] or "",
    )


def _switch(value: str | None) -> bool | None:
    return None if value is None else value == "ON"
