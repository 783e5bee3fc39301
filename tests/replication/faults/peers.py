"""Several processes that serve one application, and clients that go from one to another at random."""

import json
import random
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.replication.faults.settings import write_settings
from tests.replication.mysql.servers import MySQLServer, ReplicaSet

REPOSITORY = Path(__file__).parents[3]
DELAYS = (0, 0, 0, 1, 2, 3)
CLIENTS = 6


@contextmanager
def processes(number: int, servers: ReplicaSet, ca_file: Path, table: str) -> Iterator[list[int]]:
    """Start this number of processes; return their ports."""
    command = [sys.executable, "-m", "tests.replication.faults.peer", write_settings(servers.servers, ca_file), table]
    with ExitStack() as started:
        ports = []
        running = [
            started.enter_context(
                subprocess.Popen(
                    command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
                )
            )
            for _ in range(number)
        ]
        for each in running:
            assert each.stdout is not None
            ports.append(int(each.stdout.readline()))
        yield ports


@contextmanager
def random_lag(replicas: tuple[MySQLServer, ...], rng: random.Random) -> Iterator[None]:
    """Let the appliers stop and start, and be up to three seconds late, without any order."""
    stop = threading.Event()

    def change() -> None:
        while not stop.wait(rng.uniform(0.1, 0.8)):
            delay(rng.choice(replicas), rng.choice(DELAYS))

    changing = threading.Thread(target=change)
    changing.start()
    try:
        yield
    finally:
        stop.set()
        changing.join()
        for replica in replicas:
            delay(replica, 0)


def delay(replica: MySQLServer, seconds: int) -> None:
    replica.query("STOP REPLICA SQL_THREAD")
    replica.query("CHANGE REPLICATION SOURCE TO SOURCE_DELAY = %s", seconds)
    replica.query("START REPLICA SQL_THREAD")


@dataclass
class Clients:
    """Threads that let one process write a row and another, or the same, read it."""

    ports: list[int]
    pairs: int
    carry_token: bool
    seed: int
    first: int = 1
    seen: int = 0
    unseen: list[tuple[int, str]] = field(default_factory=list)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        numbers = count(self.first)
        last = self.first + self.pairs
        threads = [
            threading.Thread(target=self._use, args=(numbers, last, random.Random(self.seed + each)))
            for each in range(CLIENTS)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    def _use(self, numbers: "count[int]", last: int, rng: random.Random) -> None:
        with ExitStack() as opened:
            lines = []
            for port in self.ports:
                connection = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                lines.append(opened.enter_context(connection.makefile("rw", buffering=1)))
            for number in numbers:
                if number >= last or len(self.faults) > CLIENTS:
                    return
                written = _asked(rng.choice(lines), {"write": number})
                question = {"read": number, "token": written.get("token") if self.carry_token else None}
                self._note(number, written, _asked(rng.choice(lines), question))

    def _note(self, number: int, written: dict[str, Any], read: dict[str, Any]) -> None:
        with self._lock:
            self.faults += [answer["fault"] for answer in (written, read) if "fault" in answer]
            if "seen" in read:
                self.reasons[read["role"], read["reason"]] += 1
                self.seen += read["seen"]
                if not read["seen"]:
                    self.unseen.append((number, read["reason"]))


def _asked(line: Any, question: dict[str, Any]) -> dict[str, Any]:
    line.write(json.dumps(question) + "\n")
    answer: dict[str, Any] = json.loads(line.readline())
    return answer
