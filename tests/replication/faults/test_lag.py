"""Three processes, replicas that are late by chance: everyone sees what they wrote, and without tokens they do not."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replication.faults.peers import Clients, processes, random_lag
from tests.replication.mysql.servers import DATABASE, ReplicaSet

pytestmark = pytest.mark.mysql

PAIRS_VARIABLE = "INVENTORY_TEST_PAIRS"
"""How many pairs of a write and a read are made; `nox -s replication-long` sets it."""

COUNT = "SELECT COUNT(*) FROM {t}"
ROLES = ("source", "replica")
PAIRS = int(os.environ.get(PAIRS_VARIABLE, "3000"))


@pytest.fixture
def ports(servers: ReplicaSet, ca_file: Path, table: str) -> Iterator[list[int]]:
    with processes(3, servers, ca_file, table) as ports:
        yield ports


def test_no_reader_misses_what_it_has_just_written_whichever_process_answers(
    ports: list[int], servers: ReplicaSet, table: str
) -> None:
    seed = random.randrange(1_000_000)
    clients = Clients(ports, PAIRS, carry_token=True, seed=seed)
    with random_lag(servers.replicas, random.Random(seed)):
        clients.run()
    reported = f"seed {seed}, reads by role and reason: {dict(clients.reasons)}"

    assert clients.faults == [], reported
    assert clients.unseen == [], reported
    assert clients.seen == PAIRS
    assert servers.source.value(COUNT.replace("{t}", table), database=DATABASE) == PAIRS
    by_role = {role: sum(number for key, number in clients.reasons.items() if key[0] == role) for role in ROLES}
    assert min(by_role.values()) > PAIRS / 100, f"what the test is to prove was hardly tried: {reported}"


def test_without_their_tokens_readers_do_miss_it(ports: list[int], servers: ReplicaSet) -> None:
    """The control: were there nothing to miss, the test above would prove nothing."""
    seed = random.randrange(1_000_000)
    clients = Clients(ports, PAIRS // 10, carry_token=False, seed=seed)
    with random_lag(servers.replicas, random.Random(seed)):
        clients.run()

    assert clients.faults == []
    assert len(clients.unseen) > 0
