"""Answers of servers that the tests of the topology judge."""

from collections.abc import Mapping

from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.decisions.snapshot import Answer, NoAnswer, ReplicationChannel, ServerFacts, TopologySnapshot
from inventory_replication.decisions.topology import decide_topology

U1, U2, U3, U4 = (f"{n}0000000-0000-11f0-8000-000000000000" for n in "1234")
GONE = NoAnswer("connection refused")
LOCKED = NoAnswer("too many connections", alive=True)
DATA = GtidSet.of(U1, 1, 100)


def server(
    uuid: str, executed: GtidSet = DATA, *, writable: bool = False, of: str = "", **changes: object
) -> ServerFacts:
    channels = (ReplicationChannel(of, receiver_running=True, applier_running=True),) if of else ()
    settings: dict[str, object] = {
        "server_uuid": uuid,
        "server_id": int(uuid[0]),
        "read_only": not writable,
        "super_read_only": not writable,
        "gtids_on": True,
        "executed": executed,
        "channels": channels,
    }
    return ServerFacts(**{**settings, **changes})  # type: ignore[arg-type]


def broken(uuid: str, of: str, *, receiver: bool = True, applier: bool = True) -> ServerFacts:
    channel = ReplicationChannel(
        of, receiver_running=receiver, applier_running=applier, applier_error="" if applier else "1418 no DETERMINISTIC"
    )
    return server(uuid, channels=(channel,))


SOURCE = server(U1, writable=True)
SECOND, THIRD = server(U2, of=U1), server(U3, of=U1)
Round = Mapping[str, Answer]
HEALTHY: Round = {"db1": SOURCE, "db2": SECOND, "db3": THIRD}


def rounds(*answers: Mapping[str, Answer]) -> TopologySnapshot:
    """The snapshot after these rounds of the monitor."""
    snapshot: TopologySnapshot | None = None
    for second, answer in enumerate(answers):
        snapshot = decide_topology(answer, snapshot, float(second))
    assert snapshot is not None
    return snapshot


def states(snapshot: TopologySnapshot) -> list[str]:
    return [str(member.state) for member in snapshot.members]


def source_name(snapshot: TopologySnapshot) -> str | None:
    return snapshot.source.name if snapshot.source else None
