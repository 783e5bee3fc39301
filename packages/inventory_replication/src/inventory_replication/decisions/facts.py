"""What one server answered to the monitor, or that it did not; no judgement yet."""

from dataclasses import dataclass

from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.decisions.source_record import SourceRecord


@dataclass(frozen=True, slots=True)
class ReplicationChannel:
    """One replication channel of a server, from ``performance_schema.replication_*`` or ``SHOW REPLICA STATUS``.

    Args:
        source_uuid: ``server_uuid`` of the server it copies from; empty while it was never connected.
        receiver_running: The receiver is ON (not OFF, not CONNECTING).
        applier_running: Coordinator and workers of the applier are ON.
        name: Empty for the default channel.
        source_address: ``host:port`` it is configured for, for messages.
        receiver_wanted: The receiver is ON or CONNECTING: not switched off, though perhaps without a connection.
        receiver_error: Number and text of its last error, empty where there is none.
        applier_error: Number and text of the applier's last error, empty where there is none.
    """

    source_uuid: str
    receiver_running: bool
    applier_running: bool
    name: str = ""
    source_address: str = ""
    receiver_wanted: bool = True
    receiver_error: str = ""
    applier_error: str = ""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """An answer.

    Args:
        server_uuid: ``@@server_uuid``.
        server_id: ``@@server_id``.
        read_only: ``@@read_only``.
        super_read_only: ``@@super_read_only``.
        gtids_on: ``@@gtid_mode`` is ``ON`` (not ``ON_PERMISSIVE``).
        executed: ``@@gtid_executed``.
        channels: Its replication channels; empty on a server that copies from nobody.
        record: The newest change of the source that is written down on it; ``None``: there is none, or it may not be read.
    """

    server_uuid: str
    server_id: int
    read_only: bool
    super_read_only: bool
    gtids_on: bool
    executed: GtidSet
    channels: tuple[ReplicationChannel, ...] = ()
    record: SourceRecord | None = None

    @property
    def writable(self) -> bool:
        """Whether the server takes writes from an ordinary account."""
        return not (self.read_only or self.super_read_only)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer.

    Args:
        why: One line for people.
        alive: The server proved that it lives (wrong password, too many connections, bad certificate): not counted as its death.
    """

    why: str
    alive: bool = False


Answer = ServerFacts | NoAnswer
