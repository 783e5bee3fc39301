"""What a unit of work leaves behind goes where its token is carried, and nowhere else: threads, greenlets, forks, jobs."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import greenlet
import pytest

from inventory_replication import CausalContext, RoutingPolicy
from tests.replication.faults.peers import REPOSITORY
from tests.replication.faults.settings import write_settings
from tests.replication.faults.watching import QUIET, Cluster
from tests.replication.mysql.servers import ReplicaSet, eventually
from tests.replication.runtime.clusters import ClusterFor, applier_stopped, put, roles, stored

pytestmark = pytest.mark.mysql
BRIEF = RoutingPolicy(staleness_bound=900, last_resort_bound=900, causal_wait_timeout=0.05)


@pytest.fixture
def behind(cluster_for: ClusterFor, servers: ReplicaSet, table: str) -> Iterator[Cluster]:  # noqa: ARG001
    """Replicas get nothing more, so who has a token reads from the source, and who has none from a replica."""
    cluster = cluster_for(monitor=QUIET, routing=BRIEF)
    cluster.status()
    with applier_stopped(*servers.replicas):
        yield cluster


def job(cluster: Cluster, table: str, token: str | None) -> tuple[list[int], list[str]]:
    """A worker's task, which was given a token as text or none."""
    with cluster.causal(token) as context, cluster.reader() as session:
        return stored(session, table), roles(context)


def test_a_job_sees_what_its_token_represents_and_the_next_one_on_its_thread_knows_nothing_of_it(
    behind: Cluster, table: str
) -> None:
    with ThreadPoolExecutor(1) as workers, behind.causal() as context:
        behind.write(put(table, 1))
        carried = workers.submit(job, behind, table, context.token)
        bare = workers.submit(job, behind, table, None)
        assert carried.result(60) == ([1], ["source"])
        assert bare.result(60) == ([], ["replica"])


def test_greenlets_that_take_turns_on_one_thread_keep_apart_what_they_wrote(behind: Cluster, table: str) -> None:
    main = greenlet.getcurrent()

    def writing() -> CausalContext:
        with behind.causal() as context:
            behind.write(put(table, 1))
            main.switch()
            with behind.reader() as session:
                assert stored(session, table) == [1]
        return context

    def reading() -> CausalContext:
        with behind.causal() as context:
            main.switch()
            with behind.reader() as session:
                assert stored(session, table) == []
        return context

    writer, reader = greenlet.greenlet(writing), greenlet.greenlet(reading)
    for each in (writer, reader):
        each.switch()
    with behind.causal() as own, behind.reader() as session:
        assert stored(session, table) == []
    assert roles(reader.switch()) == ["replica"]
    assert roles(writer.switch()) == ["source", "source"]
    assert roles(own) == ["replica"]


@contextmanager
def gunicorn(servers: ReplicaSet, ca_file: Path, table: str, folder: Path) -> Iterator[str]:
    """Two workers that are forked from a process with an open cluster; yields their socket."""
    address = folder / "socket"
    settings = {"PRELOADED_SETTINGS": write_settings(servers.servers, ca_file), "PRELOADED_TABLE": table}
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers=2", "--threads=2", f"--bind=unix:{address}"]
    process = subprocess.Popen(
        [*command, "tests.replication.faults.preloaded:create()"], cwd=REPOSITORY, env={**os.environ, **settings}
    )
    try:
        eventually("it listens", lambda: address.exists() or process.poll() is not None, 60)
        assert process.poll() is None
        yield str(address)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


class Local(http.client.HTTPConnection):
    """HTTP to a socket of the file system."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self._path)


def requested(path: str, method: str, target: str, token: str = "") -> tuple[str, str]:
    """Body and token of the answer of whichever worker takes the connection."""
    with contextlib.closing(Local(path)) as connection:
        connection.request(method, target, headers={"X-Causal-Token": token} if token else {})
        answer = connection.getresponse()
        body = answer.read().decode()
        assert answer.status == 200, body
        return body, answer.headers.get("X-Causal-Token", "")


def test_workers_that_are_forked_from_a_process_in_use_serve_as_if_it_had_not_been(
    servers: ReplicaSet, ca_file: Path, table: str, tmp_path: Path
) -> None:
    with gunicorn(servers, ca_file, table, tmp_path) as path:
        seen: set[str] = set()

        def both_answer() -> bool:
            seen.add(requested(path, "GET", "/process")[0])
            return len(seen) == 2

        eventually("both workers answer", both_answer)
        for number in range(1, 31):
            _, token = requested(path, "POST", f"/{number}")
            body, _ = requested(path, "GET", "/", token)
            assert number in json.loads(body)["numbers"]
        stored_numbers = json.loads(requested(path, "GET", "/exact")[0])["numbers"]

    assert stored_numbers == list(range(31))
