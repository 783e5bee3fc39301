"""What a reader refuses before anything is sent, and what it may do."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import (
    Select,
    bindparam,
    create_engine,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column

from inventory_replication import MonitorPolicy, ReplicatedCluster, RoutingPolicy
from inventory_replication.errors import ReadOnlyUnitError
from inventory_replication.guards import find_objection
from tests.replication.mysql.fault_proxy import FaultProxy
from tests.replication.mysql.servers import DATABASE, ReplicaSet
from tests.replication.runtime.clusters import ClusterFor, placed


class Model(DeclarativeBase):
    pass


class Note(Model):
    __tablename__ = "guarded_note"
    id: Mapped[int] = mapped_column(primary_key=True)
    note: Mapped[str]


DECLARED = {"read_only": True}
NOTE = {"id": 2, "note": "b"}


def changed(session: Session) -> None:
    note = session.get_one(Note, 1)
    note.note = "changed"
    session.flush()


def deleted(session: Session) -> None:
    session.delete(session.get_one(Note, 1))
    session.flush()


def added(session: Session) -> None:
    session.add(Note(**NOTE))
    session.commit()


def declared(statement: str) -> Callable[[Session], object]:
    return lambda session: session.execute(text(statement).execution_options(read_only=True))


def driven(statement: str) -> Callable[[Session], object]:
    return lambda session: session.connection().exec_driver_sql(statement, execution_options=DECLARED)


def selected(*, nowait: bool = False, read: bool = False, skip_locked: bool = False) -> Callable[[Session], object]:
    locking = select(Note.id).with_for_update(nowait=nowait, read=read, skip_locked=skip_locked)
    return lambda session: session.execute(locking)


def refreshed(session: Session) -> str:
    note = session.get_one(Note, 1)
    session.refresh(note)
    return note.note


REFUSED: dict[str, Callable[[Session], object]] = {
    "flush of a new object": added,
    "flush of a changed object": changed,
    "flush of a deleted object": deleted,
    "bulk_save_objects": lambda session: session.bulk_save_objects([Note(**NOTE)]),
    "bulk_insert_mappings": lambda session: session.bulk_insert_mappings(Note.__mapper__, [NOTE]),
    "Query.delete": lambda session: session.query(Note).delete(),
    "Query.update": lambda session: session.query(Note).update({"note": "c"}),
    "ORM insert": lambda session: session.execute(insert(Note), [NOTE]),
    "ORM update": lambda session: session.execute(update(Note).values(note="c")),
    "Core delete": lambda session: session.execute(delete(Note.__table__)),  # type: ignore[arg-type]
    "Core delete on the connection": lambda session: session.connection().execute(delete(Note)),
    "get for update": lambda session: session.get(Note, 1, with_for_update=True),
    "refresh for update": lambda session: session.refresh(session.get_one(Note, 1), with_for_update=True),
    "FOR UPDATE": selected(),
    "FOR UPDATE NOWAIT": selected(nowait=True),
    "FOR UPDATE SKIP LOCKED": selected(skip_locked=True),
    "FOR SHARE": selected(read=True),
    "FOR UPDATE in a subquery": lambda session: session.execute(
        select(select(Note.id).with_for_update().subquery().c.id)
    ),
    "FOR UPDATE in a CTE": lambda session: session.execute(select(select(Note.id).with_for_update().cte().c.id)),
    "GET_LOCK": lambda session: session.scalar(select(func.get_lock("a", 0))),
    "GET_LOCK in a condition": lambda session: session.scalar(select(Note.id).where(func.GET_LOCK("a", 0) == 1)),
    "create_all": lambda session: Model.metadata.drop_all(session.connection(), checkfirst=False),
    "undeclared text": lambda session: session.execute(text("SELECT 1")),
    "undeclared text with columns": lambda session: session.execute(text("SELECT 1 AS one").columns()),
    "undeclared text for objects": lambda session: session.scalars(
        select(Note).from_statement(text("SELECT id, note FROM guarded_note"))
    ).all(),
    "undeclared driver's statement": lambda session: session.connection().exec_driver_sql("SELECT 1"),
    "declared INSERT": declared("INSERT INTO guarded_note VALUES (3, 'c')"),
    "declared lower case": declared("  insert into guarded_note values (3, 'c')"),
    "declared after a comment": declared("/* SELECT */ REPLACE INTO guarded_note VALUES (3, 'c')"),
    "declared in a version comment": declared("SELECT id FROM guarded_note /*!50000 FOR UPDATE */"),
    "declared LOCK IN SHARE MODE": declared("SELECT id FROM guarded_note LOCK  IN\nSHARE MODE"),
    "declared CTE that deletes": declared("WITH a AS (SELECT 1) DELETE FROM guarded_note"),
    "declared CALL": declared("CALL p()"),
    "declared temporary table": declared("CREATE TEMPORARY TABLE t (a INT)"),
    "declared SET": declared("SET SESSION TRANSACTION READ WRITE"),
    "declared LOCK TABLES": declared("LOCK TABLES guarded_note READ"),
    "declared GET_LOCK": declared("SELECT 1 + Get_Lock ('a', 0)"),
    "declared INTO": declared("SELECT id INTO @a FROM guarded_note"),
    "declared driver's statement": driven("UPDATE guarded_note SET note = 'c'"),
}

LOADING_FIRST = {"flush of a changed object", "flush of a deleted object", "refresh for update"}

ALLOWED: dict[str, Callable[[Session], object]] = {
    "get": lambda session: session.get_one(Note, 1).note,
    "select": lambda session: session.scalar(select(Note.note)),
    "refresh": refreshed,
    "CTE": lambda session: session.scalar(select(select(Note.note).cte().c.note)),
    "union": lambda session: session.scalar(union_all(select(Note.note), select(Note.note))),
    "alias": lambda session: session.scalar(select(aliased(Note).note)),
    "declared text": lambda session: session.scalar(
        text("SELECT note FROM guarded_note").execution_options(read_only=True)
    ),
    "declared text for objects": lambda session: (
        session.scalars(
            select(Note).from_statement(text("SELECT * FROM guarded_note").execution_options(read_only=True)),
            execution_options=DECLARED,
        )
        .one()
        .note
    ),
    "words in strings and names": lambda session: session.scalar(
        text(
            "SELECT note AS `for update` FROM guarded_note WHERE note <> 'x FOR UPDATE' AND note <> \"GET_LOCK(1, 2)\" "
            "-- INSERT INTO\n /* FOR SHARE */ # DELETE\n"
        ).execution_options(read_only=True)
    ),
    "savepoint": lambda session: session.begin_nested().session.scalar(select(Note.note)),
    "functions with names of statements": lambda session: session.scalar(select(func.replace(Note.note, "b", "c"))),
}


@pytest.fixture
def guarded(servers: ReplicaSet) -> Iterator[None]:
    servers.source.query(f"CREATE TABLE {DATABASE}.guarded_note (id INT PRIMARY KEY, note VARCHAR(40))")
    servers.source.query("INSERT INTO guarded_note VALUES (1, 'a')", database=DATABASE)
    servers.catch_up()
    yield
    servers.source.query(f"DROP TABLE {DATABASE}.guarded_note")


@pytest.fixture
def quiet(cluster_for: ClusterFor, servers: ReplicaSet) -> Iterator[tuple[ReplicatedCluster[Session], FaultProxy]]:
    """A cluster with one replica behind a proxy, whose monitor looks once and is silent then."""
    with FaultProxy(servers.replica1.address) as proxy:
        cluster = cluster_for(
            servers=placed(servers, replica1=proxy)[:2],
            monitor=MonitorPolicy(poll_interval=1000),
            routing=RoutingPolicy(staleness_bound=900, last_resort_bound=900),
        )
        with cluster.reader() as session:
            session.connection()
        yield cluster, proxy
        cluster.close()


@pytest.mark.mysql
@pytest.mark.usefixtures("guarded")
def test_a_reader_refuses_every_way_to_write_or_lock_before_it_is_sent(
    quiet: tuple[ReplicatedCluster[Session], FaultProxy], servers: ReplicaSet
) -> None:
    cluster, proxy = quiet
    for way, attempt in REFUSED.items():
        with proxy.counting() as sent, pytest.raises(ReadOnlyUnitError), cluster.reader() as session:
            attempt(session)
        expected = ["SELECT", "ROLLBACK"] if way in LOADING_FIRST else []
        assert sent() == len(expected), way

    rows = servers.source.query("SELECT * FROM guarded_note", database=DATABASE)
    assert rows == ((1, "a"),)


@pytest.mark.mysql
@pytest.mark.usefixtures("guarded")
def test_a_reader_may_read_in_every_way(cluster: ReplicatedCluster[Session]) -> None:
    for way, attempt in ALLOWED.items():
        with cluster.reader() as session:
            assert attempt(session) == "a", way


@pytest.mark.mysql
@pytest.mark.usefixtures("guarded")
def test_what_only_the_database_can_see_is_refused_in_the_same_words(
    cluster: ReplicatedCluster[Session], servers: ReplicaSet
) -> None:
    servers.source.query(
        "CREATE FUNCTION write_note() RETURNS INT DETERMINISTIC MODIFIES SQL DATA "
        "BEGIN INSERT INTO guarded_note VALUES (9, 'z'); RETURN 1; END",
        database=DATABASE,
    )
    try:
        servers.catch_up()
        for source in (True, False):
            with pytest.raises(ReadOnlyUnitError) as caught, cluster.reader(from_source=source) as session:
                session.scalar(select(func.write_note()))
            assert isinstance(caught.value.__cause__, DBAPIError)
    finally:
        servers.source.query("DROP FUNCTION write_note", database=DATABASE)


@pytest.mark.parametrize(
    "statement",
    ["SELECT 1", " ( select 1 ) union (select 2)", "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES ROW(1)", "TABLE t"],
)
def test_what_reads_meets_no_objection(statement: str) -> None:
    assert find_objection(statement) == ""


@pytest.mark.parametrize("name", ["update", "delete", "into"])
def test_a_parameter_may_be_named_like_a_statement(name: str) -> None:
    compiled = select(literal(1)).where(literal(2) == bindparam(name, 2)).compile(create_engine("mysql+pymysql://"))

    assert f"%({name})s" in str(compiled)
    assert find_objection(str(compiled)) == ""
    assert find_objection(f"SELECT 1 {name} t")


@pytest.mark.parametrize(
    "statement", ["", ";", "-- only a comment", "HANDLER t OPEN", "DO SLEEP(1)", "BEGIN", "COMMIT"]
)
def test_what_is_not_known_to_read_meets_an_objection(statement: str) -> None:
    assert find_objection(statement)


def test_a_select_made_by_sqlalchemy_for_every_lock_is_seen() -> None:
    statement: Select[Any] = select(Note.id)
    for locked in (
        statement.with_for_update(),
        statement.with_for_update(read=True),
        statement.with_for_update(of=Note),
    ):
        assert "locking read" in find_objection(str(locked.compile(dialect=mysql.dialect())))
