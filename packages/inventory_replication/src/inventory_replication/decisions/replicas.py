"""Which servers are replicas of the source, directly or through another replica, and whether their replication runs."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.decisions.snapshot import Member, MemberState, ReplicationChannel, ServerFacts

_UUID_CURE = "the same server is listed twice, or a data folder was copied with its auto.cnf; remove auto.cnf and restart the copy."
_ID_CURE = "give each server its own server_id."


def shared_identities(facts: Mapping[str, ServerFacts]) -> dict[str, str]:
    """Return servers to refuse because another one has the same ``server_uuid`` or ``server_id``, with the reason.

    If exactly one of them is writable it is not refused: that distinguishes it, and a misconfigured new replica must not stop
    the writes.
    """
    refused: dict[str, str] = {}
    for what, cure in (("server_uuid", _UUID_CURE), ("server_id", _ID_CURE)):
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for name, fact in facts.items():
            groups[fact.server_uuid if what == "server_uuid" else str(fact.server_id)].append(name)
        for value, names in groups.items():
            if len(names) == 1:
                continue
            writable = [name for name in names if facts[name].writable]
            spared = writable[0] if len(writable) == 1 else None
            reason = f"{' and '.join(names)} have one {what} ({value}): {cure}"
            refused = {name: reason for name in names if name != spared} | refused
    return refused


_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Root:
    """The source whose replicas are to be found.

    Args:
        uuid: ``server_uuid`` of the present or last source; empty if none was ever known.
        running: There is a source; without one, a receiver that cannot connect is not a fault.
        executed: What the source has, if it answered in this round; a replica must not have anything else.
    """

    uuid: str
    running: bool
    executed: GtidSet | None


def classify_replicas(candidates: Mapping[str, ServerFacts], root: Root) -> dict[str, Member]:
    """Classify the read-only servers.

    If no source is known, now or before, the server that all of them replicate from is taken for it. If they name different
    ones, none can be trusted and all are refused.
    """
    uuid = root.uuid or _common_root(candidates)
    accepted = {uuid} - {""}
    pending = dict(candidates)
    classified: dict[str, Member] = {}
    progress = True
    while progress:
        progress = False
        for name, fact in list(pending.items()):
            channel = next((channel for channel in fact.channels if channel.source_uuid in accepted), None)
            if channel or fact.server_uuid == uuid:
                classified[name] = _replica(name, fact, channel, root, uuid)
                accepted.add(fact.server_uuid)
                del pending[name]
                progress = True
    return classified | {name: _stranger(name, fact, uuid) for name, fact in pending.items()}


def _common_root(candidates: Mapping[str, ServerFacts]) -> str:
    members = {fact.server_uuid for fact in candidates.values()}
    named = {channel.source_uuid for fact in candidates.values() for channel in fact.channels} - {""}
    roots = named - members or named
    return roots.pop() if len(roots) == 1 else ""


def _replica(name: str, fact: ServerFacts, channel: ReplicationChannel | None, root: Root, uuid: str) -> Member:
    errant = _errant(fact, root, uuid)
    if errant:
        reason = f"It has transactions that the source does not have ({errant[:_SHOWN]}): rebuild it from the source."
        return Member(name, MemberState.REFUSED, reason, fact.server_uuid, fact.executed)
    trouble = _trouble(channel, root) if channel else ""
    reason = (trouble or "It copies from the source.") if channel else "It was the source and is read-only now."
    state = MemberState.STALLED if trouble else MemberState.REPLICA
    return Member(name, state, reason, fact.server_uuid, fact.executed, copies=channel is not None)


def _errant(fact: ServerFacts, root: Root, uuid: str) -> str:
    """Return transactions that did not come from the source, as text. Those that it committed after its probe do not count."""
    if root.executed is None:
        return ""
    surplus = fact.executed - root.executed
    return surplus.of_uuids(surplus.uuids() - {uuid}).compact()


def _trouble(channel: ReplicationChannel, root: Root) -> str:
    if not channel.applier_running:
        return f"Its applier does not run{_cause(channel.applier_error)}: fix the cause, then START REPLICA."
    if root.running and not channel.receiver_running:
        return f"Its receiver is not connected{_cause(channel.receiver_error)}: fix the cause, then START REPLICA."
    return ""


def _cause(error: str) -> str:
    return f" ({error[:_SHOWN]})" if error else ""


def _stranger(name: str, fact: ServerFacts, uuid: str) -> Member:
    if not fact.channels:
        reason = "It is read-only and copies from no server: provision it as a replica of the source."
    elif all(not channel.source_uuid for channel in fact.channels):
        reason = f"Its receiver was never connected{_cause(fact.channels[0].receiver_error)}: check the account for replication."
    elif uuid:
        address = fact.channels[0].source_address or fact.channels[0].source_uuid
        reason = f"It copies from another server ({address}): point it to the source with CHANGE REPLICATION SOURCE TO."
    else:
        reason = "The replicas copy from different servers, and none of those answers: bring the source back."
    return Member(name, MemberState.REFUSED, reason, fact.server_uuid, fact.executed)
