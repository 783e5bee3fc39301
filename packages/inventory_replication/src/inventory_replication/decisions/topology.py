"""Turns the answers of one round into a snapshot: which server is the source, which are its replicas, and which are neither.

MySQL or an operator decides which server is the source; this module only detects it. The source is the one server that accepts
writes, except for servers that missed a change of the source which another server has recorded. If that cannot be proved there
is no source, and nothing is written.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.decisions.replicas import Root, classify_replicas, shared_identities
from inventory_replication.decisions.snapshot import (
    Answer,
    Cause,
    Lineage,
    Member,
    MemberState,
    NoAnswer,
    ServerFacts,
    SourceRecord,
    TopologySnapshot,
    latest_record,
)

_REJOIN = "Set super_read_only=ON there and rejoin it with `inventory-replication provision`."


class _Choice(NamedTuple):
    source: Member | None
    cause: Cause
    reason: str


def decide_topology(answers: Mapping[str, Answer], previous: TopologySnapshot | None, now: float) -> TopologySnapshot:
    """Classify all servers.

    Args:
        answers: Of every configured server, by name, in configured order.
        previous: The snapshot before; ``None`` at the start. Then only the records on the servers distinguish a former source
            from a new one.
        now: Monotonic time of the round.

    Returns:
        The new snapshot. Its epoch is greater by one than before exactly if the source is another server.
    """
    facts = {name: answer for name, answer in answers.items() if isinstance(answer, ServerFacts)}
    lineage = previous.lineage if previous else Lineage()
    lineage = replace(lineage, record=latest_record([lineage.record, *(fact.record for fact in facts.values())]))
    refused = {
        name: "gtid_mode is not ON: set gtid_mode and enforce_gtid_consistency to ON."
        for name in facts
        if not facts[name].gtids_on
    }
    refused |= shared_identities(facts)
    superseded = _find_superseded(facts, lineage.record)
    choice = _choose_source(answers, facts, refused, superseded, previous, lineage)
    refused = {name: superseded.get(name, choice.reason) for name, fact in facts.items() if fact.writable} | refused
    epoch = previous.epoch if previous else 0
    if choice.source:
        epoch += choice.source.server_uuid != lineage.source_uuid
        lineage = _continue_lineage(lineage, choice.source)
    classified = {
        name: _mark_deposed(member, facts.get(name), lineage)
        for name, member in _classify(facts, refused, choice, lineage).items()
    }
    silent = {
        name: _keep_silent_member(name, answer, previous, choice)
        for name, answer in answers.items()
        if isinstance(answer, NoAnswer)
    }
    members = tuple((silent | classified)[name] for name in answers)
    rejoined = (
        {member.server_uuid for member in members if member.state is MemberState.REPLICA} if choice.source else set()
    )
    return TopologySnapshot(
        epoch=epoch,
        members=members,
        cause=choice.cause,
        reason=choice.reason,
        taken_at=now,
        lineage=replace(lineage, deposed=lineage.deposed - rejoined),
    )


def find_lost(gtids: GtidSet, snapshot: TopologySnapshot) -> GtidSet:
    """Return the transactions among these that the present source will never have.

    A transaction is lost if the source does not have it, did not commit it, cannot receive it any more because it replicates
    from no server, and its origin takes no part any more. A transaction of a live member is not lost: another instance may have
    seen that member become the source earlier than this one.
    """
    source = snapshot.source
    if source is None or source.copies or snapshot.cause is not Cause.PROVED or source.executed.contains(gtids):
        return EMPTY
    missing = gtids - source.executed
    live = {member.server_uuid for member in snapshot.members if member.readable} | {source.server_uuid}
    return missing.of_uuids(missing.uuids() - live)


def _find_superseded(facts: Mapping[str, ServerFacts], record: SourceRecord | None) -> dict[str, str]:
    """Return writable servers that missed a recorded change of the source, with the reason."""
    return {
        name: f"{name} is a former source: it lacks the change of the source with epoch {record.epoch}. {_REJOIN}"
        for name, fact in facts.items()
        if record and fact.writable and record.supersedes(fact.server_uuid, fact.record)
    }


def _choose_source(
    answers: Mapping[str, Answer],
    facts: Mapping[str, ServerFacts],
    refused: Mapping[str, str],
    superseded: Mapping[str, str],
    previous: TopologySnapshot | None,
    lineage: Lineage,
) -> _Choice:
    writable = [name for name, fact in facts.items() if fact.writable and name not in superseded]
    if len(writable) > 1:
        return _several_writable(writable, facts, refused, previous)
    if not writable and superseded:
        return _Choice(None, Cause.DEPOSED, " ".join(superseded.values()))
    if not writable:
        return _without_writable(answers, previous)
    name = writable[0]
    if name in refused:
        return _Choice(None, Cause.UNSUITABLE, f"{name} is the only writable server, but {refused[name]}")
    objection = _find_objection(name, facts, lineage)
    if objection:
        return objection
    fact = facts[name]
    copies = any(channel.receiver_enabled or channel.applier_running for channel in fact.channels)
    reason = f"{name} is the only server that accepts writes."
    return _Choice(
        Member(name, MemberState.SOURCE, reason, fact.server_uuid, fact.executed, copies), Cause.PROVED, reason
    )


def _several_writable(
    writable: list[str],
    facts: Mapping[str, ServerFacts],
    refused: Mapping[str, str],
    previous: TopologySnapshot | None,
) -> _Choice:
    """Return a split brain if the previous round found the same; else keep the source until the next round."""
    listed = " and ".join(writable)
    if previous and previous.cause in {Cause.SUSPECTED, Cause.SPLIT_BRAIN}:
        cure = "set super_read_only=ON on all but the true source."
        return _Choice(None, Cause.SPLIT_BRAIN, f"{listed} all accept writes: {cure}")
    reason = f"{listed} all seemed to accept writes; the next round decides."
    former = previous.source if previous else None
    for name in writable:
        if former and facts[name].server_uuid == former.server_uuid and name not in refused:
            fact = facts[name]
            kept = Member(name, MemberState.SOURCE, reason, fact.server_uuid, fact.executed, former.copies)
            return _Choice(kept, Cause.SUSPECTED, reason)
    return _Choice(None, Cause.SUSPECTED, reason)


def _without_writable(answers: Mapping[str, Answer], previous: TopologySnapshot | None) -> _Choice:
    source = previous.source if previous else None
    if source:
        answer = answers.get(source.name)
        if isinstance(answer, NoAnswer) and answer.alive:
            reason = f"{source.name} is alive but could not be queried: {answer.why}"
            kept = Member(source.name, MemberState.SOURCE, reason, source.server_uuid, source.executed, source.copies)
            return _Choice(kept, Cause.UNVERIFIED, reason)
    reason = (
        "No server that answers accepts writes: bring the source back, or make the most advanced replica the source."
    )
    return _Choice(None, Cause.NO_WRITABLE_SERVER, reason)


def _find_objection(name: str, facts: Mapping[str, ServerFacts], lineage: Lineage) -> _Choice | None:
    """Return what contradicts the only writable server."""
    fact = facts[name]
    if fact.server_uuid == lineage.source_uuid:
        return None
    has_all = fact.executed.contains(lineage.executed)
    if fact.server_uuid in lineage.deposed and not (has_all and _has_rejoined(fact, facts, lineage)):
        return _Choice(None, Cause.DEPOSED, f"{name} is a former source that lacks later writes. {_REJOIN}")
    if not has_all and (fact.executed & lineage.executed).is_empty():
        reason = (
            f"{name} accepts writes but has none of the data of this cluster: remove it from the list, or rebuild it."
        )
        return _Choice(None, Cause.UNSUITABLE, reason)
    return None


def _has_rejoined(fact: ServerFacts, facts: Mapping[str, ServerFacts], lineage: Lineage) -> bool:
    """Return whether a former source that has everything known of its successor was its replica meanwhile.

    What is known is older than the successor's last commits, so having it proves nothing. Proof is to have something that came
    after the change, or everything that the successor, which must answer, has now.
    """
    later = lineage.executed - lineage.inherited
    if later.uuids() - {fact.server_uuid}:
        return True
    return any(
        each.server_uuid == lineage.source_uuid and fact.executed.contains(each.executed) for each in facts.values()
    )


def _continue_lineage(lineage: Lineage, source: Member) -> Lineage:
    """Return the lineage under this source: which server was replaced, and what was lost with it."""
    return replace(
        lineage,
        source_uuid=source.server_uuid,
        executed=source.executed,
        deposed=(lineage.deposed | {lineage.source_uuid}) - {"", source.server_uuid},
        lost=(lineage.lost | lineage.executed) - source.executed,
        inherited=lineage.inherited if source.server_uuid == lineage.source_uuid else lineage.executed,
    )


def _classify(
    facts: Mapping[str, ServerFacts], refused: Mapping[str, str], choice: _Choice, lineage: Lineage
) -> dict[str, Member]:
    """Return the members that answered, and the source. A writable server that is not the source is refused."""
    classified = {
        name: Member(name, MemberState.REFUSED, reason, facts[name].server_uuid, facts[name].executed)
        for name, reason in refused.items()
    }
    candidates = {name: fact for name, fact in facts.items() if name not in classified}
    if choice.source:
        classified[choice.source.name] = choice.source
    proved = choice.source if choice.cause is Cause.PROVED else None
    root = Root(lineage.source_uuid, running=choice.source is not None, executed=proved.executed if proved else None)
    return classified | classify_replicas(candidates, root)


def _mark_deposed(member: Member, fact: ServerFacts | None, lineage: Lineage) -> Member:
    """Return the member, as deposed if it was refused and is a former source that was replaced."""
    if fact is None or member.state is not MemberState.REFUSED:
        return member
    record = lineage.record
    believes = fact.writable or (fact.record is not None and fact.record.server_uuid == fact.server_uuid)
    missed = record is not None and believes and record.supersedes(fact.server_uuid, fact.record)
    deposed = missed or fact.server_uuid in lineage.deposed
    return replace(member, state=MemberState.DEPOSED) if deposed else member


def _keep_silent_member(name: str, answer: NoAnswer, previous: TopologySnapshot | None, choice: _Choice) -> Member:
    """Return a server that did not answer. What was known of it stays; one that is alive keeps its role under the same source."""
    before = previous.member(name) if previous else None
    if previous is None or before is None:
        return Member(name, MemberState.UNREACHABLE, answer.why)
    same_source = choice.source is None or choice.source.server_uuid == previous.lineage.source_uuid
    state = before.state if answer.alive and same_source and before.readable else MemberState.UNREACHABLE
    return Member(name, state, answer.why, before.server_uuid, before.executed)
