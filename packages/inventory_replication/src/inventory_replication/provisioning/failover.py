"""An unplanned change of the source: a replica takes the place of a source that a person has given up.

Nothing can prove from here that a server that does not answer is dead, so its name must be given. It cannot return as a second
source: it starts closed, and the record of its successor keeps it so.
"""

from inventory_replication.decisions.source_record import SourceRecord
from inventory_replication.errors import SwitchoverRefused
from inventory_replication.mysql.administration import AdministrationFailed, Administrator
from inventory_replication.provisioning.apply import Say, carry_out
from inventory_replication.provisioning.crew import Crew
from inventory_replication.provisioning.errors import StepFailed
from inventory_replication.provisioning.facts import ServerState
from inventory_replication.provisioning.plan import record_of
from inventory_replication.provisioning.roles import States, newest_record, writable_servers
from inventory_replication.provisioning.steps import Follow, ForgetSource, RecordSource, SetReadOnly, Step
from inventory_replication.provisioning.switchover import SwitchedOver
from inventory_replication.provisioning.verify import settle

_UNCHANGED = "Nothing was changed."


def failover(crew: Crew, target: str, *, lost: frozenset[str], wait: float, say: Say) -> SwitchedOver:
    """Make a replica the source although the source does not answer.

    What the source had confirmed and no server has received is lost.

    Args:
        crew: Of all servers; afterwards of those that answer.
        target: Name of the replica. It must have everything that any other server that answers has.
        lost: Names of the servers that are given up; each one that does not answer must be among them.
        wait: Seconds for servers to answer, for the replica to apply what it has received, and for others to follow it.
        say: Is told each step before it is carried out.

    Raises:
        ConfigurationError: There is no server of one of these names.
        Refused: No server answers, or another run is at work; nothing was changed.
        SwitchoverRefused: The source answers, a server is away that was not given up, or another replica has more; nothing
            was changed.
        StepFailed: A step failed after the record was written; the same command, or provisioning, ends it.
    """
    for name in {target} | lost:
        crew.wanted.require(name)
    silent = {finding.server for finding in crew.leave_out_silent(wait)}
    if silent != lost or target in silent:
        away, there = ", ".join(sorted(silent - lost)), ", ".join(sorted(lost - silent))
        why = (
            f"{away} is away and was not given up with --lost."
            if away
            else f"{there} answers and was given up with --lost."
        )
        raise SwitchoverRefused(f"{why} {_UNCHANGED}")
    crew.lock(wait)
    states = crew.gather()
    _require_lost_source(states, crew)
    done: list[Step] = []

    def carried_out(step: Step) -> None:
        say(step)
        done.append(step)

    record = record_of(states[target], states, crew.wanted)
    _require_most_advanced(crew, states, target, wait)
    _promote(crew, states[target], record, carried_out)
    others = sorted(states.keys() - {target})
    follow = [Follow(name, "not_a_replica", f"{target} is the source now", target) for name in others]
    carry_out(crew, follow, wait=wait, say=carried_out)
    former = ", ".join(sorted(lost))
    return SwitchedOver(former, target, tuple(done), settle(crew, wait=wait, catch_up=True))


def _require_lost_source(states: States, crew: Crew) -> None:
    record = newest_record(states, crew.wanted)
    writable = writable_servers(states, record)
    on_record = [name for name, state in states.items() if record and state.facts.server_uuid == record.server_uuid]
    for name in (*writable, *on_record):
        cure = "open it again with `inventory-replication provision`, or use `inventory-replication switchover`"
        raise SwitchoverRefused(f"{states[name].label} is the source and answers: {cure}. {_UNCHANGED}")


def _require_most_advanced(crew: Crew, states: States, target: str, wait: float) -> None:
    """Let every server apply what it has received, and refuse if another one has more than the target."""
    for name in states:
        crew.member(name).stop_receiver()
    try:
        for name in states:
            _apply_received(crew.member(name), wait)
        for name in states:
            _require_everything_of(crew.member(target), crew.member(name))
    except BaseException:
        for name in states:
            crew.member(name).start_replica()
        raise


def _require_everything_of(target: Administrator, other: Administrator) -> None:
    missing = target.executed().lacks(other.executed())
    if missing:
        label = f"{target.server.name} ({target.server.address})"
        better = f"{missing} transactions that {other.server.name} has: choose {other.server.name}"
        raise SwitchoverRefused(f"{label} lacks {better}. {_UNCHANGED}")


def _apply_received(member: Administrator, wait: float) -> None:
    missing = member.lacking_after(member.received(), wait)
    if missing:
        what = f"{member.server.name} ({member.server.address}) has not applied {missing} transactions that it received"
        raise SwitchoverRefused(f"{what}: see `inventory-replication status`, or give it more --wait. {_UNCHANGED}")


def _promote(crew: Crew, target: ServerState, record: SourceRecord, say: Say) -> None:
    heir = crew.member(target.name)
    why = "it takes the place of the lost source"
    try:
        say(RecordSource(target.name, "source_record", why, record))
        crew.remember(record)
        heir.stop_replica()
        heir.record_source(record)
        say(ForgetSource(target.name, "leftover_channel", why))
        heir.forget_source()
        say(SetReadOnly(target.name, "source_read_only", why, on=False))
        heir.take_writes()
    except AdministrationFailed as failure:
        message = f"{target.label} could not be made the source: {failure}. Run the same command again."
        raise StepFailed(message, server=target.name) from failure
