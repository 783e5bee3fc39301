"""An inventory on a source and two replicas, through `inventory_replication`."""

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
from inventory_replication.errors import ReadOnlyUnitError
from inventory_web.schema import upgrade_all
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
        instances: list[ReplicatedCluster[Session]] = []
        try:
            with open_cluster(address) as home, home.causal() as context:

                def open_another() -> "Instance":
                    instances.append(open_cluster(address))
                    return Instance(instances[-1], home, context)

                def learn(token: str | None) -> None:
                    with home.causal(token):
                        pass

                yield Database(home, source.engine, address, open_another, learn, ReadOnlyUnitError)
            clear(source.engine, self._seeds)
        finally:
            for cluster in instances:
                cluster.close()
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
        return SingleDatabase.from_url(
            URL.create(
                "mysql+pymysql",
                APP.user,
                APP.password,
                "127.0.0.1",
                self.servers.source.port,
                name,
                {"ssl_ca": str(self.ca_file)},
            )
        )


def open_cluster(address: str) -> ReplicatedCluster[Session]:
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
    return ReplicatedCluster(config, session_class=Session)


@dataclass
class Instance:
    """Another instance, used by the same person: each unit of work brings the person's token, and takes the new one home."""

    cluster: ReplicatedCluster[Session]
    home: ReplicatedCluster[Session]
    context: CausalContext

    @contextmanager
    def reader(self) -> Iterator[PlainSession]:
        with self.cluster.causal(self.context.token), self.cluster.reader() as session:
            yield session

    def write(self, work: Callable[[PlainSession], T]) -> T:
        with self.cluster.causal(self.context.token) as there:
            result = self.cluster.write(work)
        with self.home.causal(there.token):
            return result
