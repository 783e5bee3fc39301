"""An inventory on a source and two replicas, as the web composes `inventory_replication` with it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL
from sqlalchemy.orm import Session as PlainSession
from sqlmodel import Session

from inventory_core import SingleDatabase
from inventory_replication import (
    CausalContext,
    ClusterConfig,
    ReplicatedCluster,
    Server,
    TlsPolicy,
    TokenKey,
    TokenPolicy,
)
from inventory_web.db.replicas import ReplicatedDatabase
from inventory_web.db.schema import upgrade_all
from tests.contracts.topologies import Database, Seeds, Topology, clear, read_seeds
from tests.replication.mysql.servers import APP, MONITOR, ReplicaSet

T = TypeVar("T")
KEYS = TokenPolicy((TokenKey("k1", b"a secret of the contracts, no other"),))


@dataclass
class ReplicatedSets(Topology):
    """A schema of the source, and so of its replicas, for each database."""

    servers: ReplicaSet
    ca_file: Path
    name: str = "replicated"
    _seeds: Seeds = field(default_factory=dict)
    _free: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.servers.source.query(rf"GRANT ALL ON `contracts\_%`.* TO {APP.user}")

    @contextmanager
    def database(self) -> Iterator[Database]:
        name = self._free.pop() if self._free else self._made()
        ports = [server.port for server in self.servers.servers]
        address = json.dumps({"ports": ports, "database": name, "ca_file": str(self.ca_file)})
        self.servers.catch_up()
        source = self._source(name)
        opened = [open_replicated(address)]
        home = opened[0]
        try:
            with home.cluster.causal() as context:

                def open_another() -> ReplicatedDatabase:
                    opened.append(Instance(open_replicated(address), home, context))
                    return opened[-1]

                def learn(token: str | None) -> None:
                    with home.cluster.causal(token):
                        pass

                yield Database(home, source.engine, address, open_another, learn)
            clear(source.engine, self._seeds)
        finally:
            for database in opened:
                database.close()
            source.close()
        self._free.append(name)

    def _made(self) -> str:
        name = f"contracts_{next(self._numbers)}"
        self.servers.source.query(f"CREATE DATABASE {name}")
        source = self._source(name)
        upgrade_all(source.engine)
        self._seeds = read_seeds(source.engine)
        source.close()
        return name

    def _source(self, name: str) -> SingleDatabase:
        return SingleDatabase.from_url(_url(self.servers.source.port, name, str(self.ca_file)))


def open_replicated(address: str) -> ReplicatedDatabase:
    """What `Database.address` names, as one process has it."""
    named = json.loads(address)
    config = ClusterConfig(
        cluster_id="contracts",
        servers=tuple(Server(f"server-{port}", "127.0.0.1", port) for port in named["ports"]),
        database=named["database"],
        app=APP,
        monitor_account=MONITOR,
        tokens=KEYS,
        tls=TlsPolicy(Path(named["ca_file"]), verify_host=True),
    )
    url = _url(named["ports"][0], named["database"], named["ca_file"])
    return ReplicatedDatabase(ReplicatedCluster(config, session_class=Session), url)


def _url(port: int, name: str, ca_file: str) -> URL:
    return URL.create("mysql+pymysql", APP.user, APP.password, "127.0.0.1", port, name, {"ssl_ca": ca_file})


class Instance(ReplicatedDatabase):
    """Another instance, used by the same person: each unit of work brings the person's token, and takes the new one home."""

    def __init__(self, opened: ReplicatedDatabase, home: ReplicatedDatabase, context: CausalContext) -> None:
        super().__init__(opened.cluster, opened.source_url())
        self.home = home
        self.context = context

    @contextmanager
    def reader(self) -> Iterator[PlainSession]:
        with self.cluster.causal(self.context.token), super().reader() as session:
            yield session

    @contextmanager
    def source_reader(self) -> Iterator[PlainSession]:
        with self.cluster.causal(self.context.token), super().source_reader() as session:
            yield session

    def write(self, work: Callable[[PlainSession], T]) -> T:
        with self.cluster.causal(self.context.token) as there:
            result = super().write(work)
        with self.home.cluster.causal(there.token):
            return result
