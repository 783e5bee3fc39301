"""Deviations of a server: a stable code, the server, what is wrong, and the fix."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from inventory_replication.errors import ProvisioningRefused, ReplicationError

CHECKS: Final[Mapping[str, str]] = {
    "no_answer": "A server cannot be reached.",
    "no_access": "A server answers but refuses the account: password, rights, certificate, encryption, connections.",
    "busy": "Another run of this command is changing the server.",
    "admin_rights": "The administrator's account lacks a privilege that provisioning needs.",
    "old_version": "The server is older than MySQL 8.4, or older than its source.",
    "no_gtids": "`gtid_mode` or `enforce_gtid_consistency` is not ON.",
    "no_binary_log": "The binary log is off, or does not contain what the server replicates (`log_replica_updates`).",
    "binlog_format": "The binary log is not in row format.",
    "same_server_id": "Two servers have the same `server_id`.",
    "same_server_uuid": "Two servers have the same `server_uuid`, or one server is listed twice.",
    "no_tls": "The server does not accept encrypted connections.",
    "several_channels": "The server has more than one replication channel, or a named one.",
    "other_source": "The server is a replica of a source that is not one of the servers.",
    "privileged_account": "An account that should have few rights is the administrator's or root.",
    "ambiguous_source": "The source is ambiguous.",
    "not_the_source": "The server named as the source is not the source of the others.",
    "errant_transactions": "A replica has transactions that the source does not have.",
    "foreign_data": "A server that should become a replica holds data that came from no GTID of the source.",
    "logs_purged": "The source no longer has binary logs that a replica lacks.",
    "schema": "The application's schema is missing on the source.",
    "account_missing": "An account is missing.",
    "account_password": "An account exists with another password or another plugin.",
    "account_tls": "An account may log in without encryption.",
    "account_rights": "An account has more or fewer rights than its role needs.",
    "setting": "A setting that makes replication crash-safe is wrong.",
    "source_record": "The source is not recorded in the database, or another server is.",
    "source_read_only": "Neither the source nor any other server accepts writes.",
    "open_at_start": "After a restart the source would accept writes before it is proved to be the source still.",
    "leftover_channel": "The source still has a channel from when it was a replica.",
    "not_a_replica": "A server does not follow the source.",
    "channel_settings": "A replica follows the source with another account, without encryption or without auto-position.",
    "writable_replica": "A replica accepts writes, or would after a restart.",
    "replica_stopped": "Replication was stopped on a replica.",
    "account_refused": "An account cannot log in, for another reason than its password.",
    "receiver": "The receiver of a replica is not connected to the source.",
    "applier": "The applier of a replica does not run.",
    "behind": "A replica did not catch up with the source in time.",
    "session_tracking": "The server does not report the GTIDs of commits to its clients, so each commit costs one more round trip.",
    "tracking_everywhere": "`session_track_gtids` is on for all sessions, which slows the applier down.",
    "failed_step": "A step failed on a replica, and the rest was done without it (`--allow-degraded`).",
    "clock": "The clock of a server is more than 5 seconds from that of the source, or that of the source from this machine's.",
    "rows_differ": "A replica that has every transaction of the source has different rows in a table.",
    "rows_not_compared": "Rows could not be compared: the replica is too far behind, or they change constantly.",
    "tables_differ": "A replica that has every transaction of the source lacks tables of it.",
}
"""Every code of a finding, with its meaning."""

WARNINGS: Final = frozenset({"clock"})
"""Codes that are reported but do not make a run fail."""

PROVISION: Final = "run `inventory-replication provision`"


@dataclass(frozen=True, slots=True)
class Finding:
    """One deviation.

    Args:
        code: A key of `CHECKS`.
        server: Name of the server.
        what: Name and address of the server, and what is wrong with it.
        cure: What to do; empty if ``what`` says it.
    """

    code: str
    server: str
    what: str
    cure: str

    def __post_init__(self) -> None:
        if self.code not in CHECKS:
            raise ValueError(f"{self.code!r} is not a code of CHECKS")

    def __str__(self) -> str:
        return f"{self.what}: {self.cure} [{self.code}]" if self.cure else f"{self.what} [{self.code}]"

    def as_json(self) -> dict[str, str]:
        """Return the finding for ``--json``."""
        return {"code": self.code, "server": self.server, "what": self.what, "cure": self.cure}


def blocking(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that are more than warnings."""
    return tuple(finding for finding in findings if finding.code not in WARNINGS)


class ChecksFailed(ProvisioningRefused):
    """The servers cannot reach the desired state as they are; nothing was changed on any of them.

    Args:
        findings: All reasons, at least one.
    """

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(map(str, findings)))
        self.findings = findings


class StepFailed(ReplicationError):
    """A step failed. The earlier ones are done; run the same command again to continue.

    Args:
        message: Which step, on which server, why, and what to do.
        server: Name of the server.
    """

    code = "REP-101"
    default_message = "A step failed; those before it are done. Fix the cause and run the same command again."

    def __init__(self, message: str = "", *, server: str = "") -> None:
        super().__init__(message)
        self.server = server
