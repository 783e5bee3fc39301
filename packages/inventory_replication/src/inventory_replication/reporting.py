"""What is worth a line in the log: changes of the cluster, never a statement, a token or a value."""

import logging

from inventory_replication.decisions.members import Cause, TopologySnapshot
from inventory_replication.mysql.probes import ServerReport

_LOG = logging.getLogger("inventory_replication")


def report_changes(before: TopologySnapshot | None, after: TopologySnapshot) -> None:
    """Log in what a snapshot differs from the one before."""
    if before is None or before.mode is not after.mode:
        level = logging.INFO if after.source and after.replicas else logging.WARNING
        _LOG.log(level, "mode is %s: %s", after.mode, after.reason)
    if before is None:
        return
    if before.epoch != after.epoch and after.source:
        _LOG.warning("the source is %s now (epoch %d)", after.source.name, after.epoch)
    if after.cause is Cause.SPLIT_BRAIN and before.cause is not Cause.SPLIT_BRAIN:
        _LOG.error("%s", after.reason)
    if after.lost and after.lost != before.lost:
        _LOG.error("confirmed transactions are missing on the present source: %s", after.lost.compact())
    states = {member.name: member.state for member in before.members}
    for member in after.members:
        if states.get(member.name) is not member.state:
            _LOG.warning("%s is %s: %s", member.name, member.state, member.reason)


def report_durability(name: str, before: ServerReport | None, after: ServerReport) -> None:
    """Log that a server stopped, or began, to wait for a replica with its commits (semisynchronous replication)."""
    if before is None or before.semisync_source == after.semisync_source:
        return
    if after.semisync_source:
        _LOG.warning("%s waits for a replica with each commit again", name)
    elif before.semisync_source:
        _LOG.error("%s commits without waiting for a replica: what it confirms now may be lost with it", name)


def report_cut_off(name: str, number: int) -> None:
    """Log that reads under way on a server were ended, because it does not answer."""
    _LOG.warning("%s does not answer; readers cut off, to be served elsewhere: %d", name, number)
