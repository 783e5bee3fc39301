"""Whatever a unit of work does, and in whatever way: all of it goes to one server, and to the right one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import ForeignKey, Select, delete, func, insert, select, text, update
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
    undefer,
)

from inventory_replication import ReplicatedCluster, RoutingPolicy
from tests.replication.faults.watching import QUIET
from tests.replication.mysql.fault_proxy import FaultProxy
from tests.replication.mysql.servers import DATABASE, ReplicaSet
from tests.replication.runtime.clusters import ClusterFor, placed

pytestmark = pytest.mark.mysql
LOOSE = RoutingPolicy(staleness_bound=900, last_resort_bound=900)
TABLES = (
    "CREATE TABLE routed_shelf (id INT PRIMARY KEY, name VARCHAR(40))",
    "CREATE TABLE routed_box (id INT PRIMARY KEY, shelf_id INT NOT NULL, label VARCHAR(40))",
    "INSERT INTO routed_shelf VALUES (1, 'a')",
    "INSERT INTO routed_box VALUES (1, 1, 'x'), (2, 1, 'y')",
    "CREATE PROCEDURE routed_call() BEGIN UPDATE routed_shelf SET name = 'called'; END",
)
REMOVED = ("DROP TABLE routed_box", "DROP TABLE routed_shelf", "DROP PROCEDURE routed_call")


class Model(DeclarativeBase):
    pass


class Shelf(Model):
    __tablename__ = "routed_shelf"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    boxes: Mapped[list["Box"]] = relationship(back_populates="shelf")


class Box(Model):
    __tablename__ = "routed_box"
    id: Mapped[int] = mapped_column(primary_key=True)
    shelf_id: Mapped[int] = mapped_column(ForeignKey("routed_shelf.id"))
    label: Mapped[str] = mapped_column(deferred=True)
    shelf: Mapped[Shelf] = relationship(back_populates="boxes")


Way = Callable[[Session], object]
READING = {"read_only": True}


def lazily(session: Session) -> list[int]:
    return [box.id for box in session.get_one(Shelf, 1).boxes]


def expired(session: Session) -> str:
    shelf = session.get_one(Shelf, 1)
    session.expire(shelf)
    return shelf.name


def refreshed(session: Session) -> None:
    session.refresh(session.get_one(Shelf, 1), ["name"])


def in_savepoint(session: Session) -> None:
    with session.begin_nested():
        session.scalars(select(Shelf)).all()
    session.scalars(select(Box)).all()


def streamed(session: Session) -> list[Box]:
    return list(session.scalars(select(Box).execution_options(yield_per=1)))


def on_connection(session: Session) -> None:
    connection = session.connection()
    connection.execute(select(Shelf.__table__))
    connection.exec_driver_sql("SELECT 1", execution_options=READING)


def executed(statement: Select[Any]) -> Way:
    return lambda session: session.scalars(statement).unique().all()


READS: dict[str, Way] = {
    "get": lambda session: session.get_one(Shelf, 1),
    "select": executed(select(Shelf)),
    "legacy query": lambda session: session.query(Shelf).filter_by(id=1).one(),
    "legacy count": lambda session: session.query(Box).count(),
    "lazy load": lazily,
    "select-in load": executed(select(Shelf).options(selectinload(Shelf.boxes))),
    "joined load": executed(select(Shelf).options(joinedload(Shelf.boxes))),
    "deferred column": lambda session: session.get_one(Box, 1).label,
    "undeferred column": executed(select(Box).options(undefer(Box.label))),
    "expired attribute": expired,
    "refresh": refreshed,
    "Core": lambda session: session.execute(select(func.count()).select_from(Box.__table__)).all(),
    "common table expression": lambda session: session.execute(select(select(Box.id).cte())).all(),
    "declared text": lambda session: session.execute(text("SELECT 1").execution_options(**READING)).all(),
    "savepoint": in_savepoint,
    "rows one by one": streamed,
    "connection": on_connection,
}


def added(session: Session) -> None:
    session.add(Shelf(id=10, name="b", boxes=[Box(id=10, label="z")]))
    session.flush()


def changed(session: Session) -> None:
    session.get_one(Shelf, 1).name = "changed"
    session.flush()


def removed(session: Session) -> None:
    session.delete(session.get_one(Box, 2))
    session.flush()


def undone(session: Session) -> None:
    nested = session.begin_nested()
    session.execute(delete(Box))
    nested.rollback()
    assert len(session.scalars(select(Box)).all()) >= 1


def locked_by_name(session: Session) -> None:
    assert session.scalar(select(func.get_lock("routed", 1))) == 1
    session.scalar(select(func.release_lock("routed")))


def temporary(session: Session) -> None:
    for statement in (
        "CREATE TEMPORARY TABLE routed_now (id INT)",
        "INSERT INTO routed_now VALUES (1)",
        "DROP TEMPORARY TABLE routed_now",
    ):
        session.execute(text(statement))


def locking(*, read: bool = False, skip_locked: bool = False, nowait: bool = False) -> Way:
    statement = select(Shelf).with_for_update(read=read, skip_locked=skip_locked, nowait=nowait)
    return lambda session: session.scalars(statement).all()


WRITES: dict[str, Way] = {
    "add": added,
    "change": changed,
    "delete": removed,
    "bulk": lambda session: session.bulk_insert_mappings(Box.__mapper__, [{"id": 20, "shelf_id": 1, "label": "q"}]),
    "legacy delete": lambda session: session.query(Box).filter_by(id=20).delete(),
    "ORM insert": lambda session: session.execute(insert(Box), [{"id": 30, "shelf_id": 1, "label": "q"}]),
    "ORM update": lambda session: session.execute(update(Box).values(label="w")),
    "Core": lambda session: session.connection().execute(delete(Box.__table__).where(Box.id == 30)),  # type: ignore[arg-type]
    "text": lambda session: session.execute(text("UPDATE routed_shelf SET name = 'text'")),
    "FOR UPDATE": locking(),
    "FOR SHARE": locking(read=True),
    "FOR UPDATE SKIP LOCKED": locking(skip_locked=True),
    "FOR UPDATE NOWAIT": locking(nowait=True),
    "GET_LOCK": locked_by_name,
    "temporary table": temporary,
    "CALL": lambda session: session.execute(text("CALL routed_call()")),
    "savepoint that is taken back": undone,
    **{f"reading within a write: {way}": attempt for way, attempt in READS.items()},
}


@dataclass
class Watched:
    """A cluster whose ways to all its servers are counted."""

    cluster: ReplicatedCluster[Session]
    proxies: dict[str, FaultProxy]

    @contextmanager
    def noting(self) -> Iterator[set[str]]:
        """The servers to which anything is sent during the block."""
        reached: set[str] = set()
        with ExitStack() as stack:
            sent = {name: stack.enter_context(proxy.counting()) for name, proxy in self.proxies.items()}
            yield reached
            reached.update(name for name, number in sent.items() if number())


@pytest.fixture
def watched(cluster_for: ClusterFor, servers: ReplicaSet) -> Iterator[Watched]:
    for statement in TABLES:
        servers.source.query(statement, database=DATABASE)
    servers.catch_up()
    with ExitStack() as stack:
        proxies = {each.name: stack.enter_context(FaultProxy(each.address)) for each in servers.servers}
        cluster = cluster_for(servers=placed(servers, **proxies), monitor=QUIET, routing=LOOSE)
        cluster.status()
        yield Watched(cluster, proxies)
        cluster.close()
    for statement in REMOVED:
        servers.source.query(statement, database=DATABASE)


def test_all_of_a_reader_goes_to_the_one_replica_that_was_chosen(watched: Watched) -> None:
    for way, attempt in READS.items():
        with watched.noting() as reached, watched.cluster.causal() as context, watched.cluster.reader() as session:
            attempt(session)
            attempt(session)
        assert reached == {context.served[0].server}, way
        assert reached <= {"replica1", "replica2"}, way


def test_all_of_a_write_goes_to_the_source(watched: Watched) -> None:
    for way, attempt in WRITES.items():
        with watched.noting() as reached:
            watched.cluster.write(attempt)
        assert reached == {"source"}, way
