"""What a unit of work may rely on: readers write nothing and see one moment, writers lose nothing, refusals are one line."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import bindparam, create_engine, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from inventory_core import Inventory, ReadOnlyUnit, ReadWriteEngines, SingleDatabase, StorageRefused
from inventory_core.models import Category, metadata
from inventory_core.stock.operations import receive
from inventory_core.testing import create_product, new_request
from tests.contracts.at_once import at_once
from tests.contracts.topologies import Database

PRODUCT = metadata.tables["inventory_product"]
ADD = text("INSERT INTO inventory_category (name, name_key) VALUES ('Nueva', 'nueva')")
COUNT = select(func.count()).where(metadata.tables["inventory_category"].c.name == "Nueva")

ADD_TO_MINIMUM = update(PRODUCT).where(PRODUCT.c.code_key == bindparam("key")).values(minimum=PRODUCT.c.minimum + 1)


def add_by_object(session: Session) -> None:
    session.add(Category(name="Nueva", name_key="nueva"))
    session.flush()


WRITES: dict[str, Callable[[Session], object]] = {
    "text": lambda session: session.execute(ADD),
    "statement": lambda session: session.execute(insert(Category).values(name="Nueva", name_key="nueva")),
    "object": add_by_object,
    "connection": lambda session: session.connection().execute(ADD),
    "driver": lambda session: session.connection().exec_driver_sql(str(ADD)),
    "lock": lambda session: session.execute(update(Category).values(name="Nueva")),
}


@pytest.mark.parametrize("way", WRITES)
def test_a_reader_refuses_to_write_in_whatever_way(database: Database, way: str) -> None:
    with pytest.raises(ReadOnlyUnit), database.sessions.reader() as session:
        WRITES[way](session)

    with database.sessions.reader() as session:
        assert session.scalar(COUNT) == 0
    database.sessions.write(lambda session: session.execute(ADD))
    with database.sessions.reader() as session:
        assert session.scalar(COUNT) == 1


def test_work_that_raises_leaves_nothing_behind(database: Database) -> None:
    def work(session: Session) -> None:
        session.execute(ADD)
        raise KeyError("changed my mind")

    with pytest.raises(KeyError):
        database.sessions.write(work)

    with database.sessions.reader() as session:
        assert session.scalar(COUNT) == 0


ENDINGS: dict[str, Callable[[Session], object]] = {
    "commit": lambda session: session.commit(),
    "rollback": lambda session: session.rollback(),
    "close": lambda session: session.close(),
    "commit of the connection": lambda session: session.connection().commit(),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_work_that_ends_its_transaction_is_refused_and_leaves_nothing_behind(database: Database, ending: str) -> None:
    def work(session: Session) -> None:
        session.execute(ADD)
        ENDINGS[ending](session)

    with pytest.raises(Exception, match=rf"must not call {ending.partition(' ')[0]}\(\)"):
        database.sessions.write(work)

    with database.sessions.reader() as session:
        assert session.scalar(COUNT) == 0
    database.sessions.write(lambda session: session.execute(ADD))


def test_work_goes_on_after_a_savepoint_that_is_rolled_back(database: Database) -> None:
    def work(session: Session) -> None:
        with session.begin_nested() as savepoint:
            session.execute(ADD)
            savepoint.rollback()
        with session.begin_nested():
            session.execute(ADD)

    database.sessions.write(work)

    with database.sessions.reader() as session:
        assert session.scalar(COUNT) == 1


def test_an_operation_inside_a_write_is_refused_at_once_and_nothing_is_stored(database: Database) -> None:
    inventory = Inventory(database.sessions)
    code = create_product(inventory, quantity=5).code

    def work(session: Session) -> None:
        session.execute(ADD)
        receive(inventory, code=code, quantity=1, **new_request())

    with pytest.raises(Exception, match="in this thread already"):
        database.sessions.write(work)

    with database.sessions.reader() as session:
        assert session.scalar(COUNT) == 0
        assert session.scalar(select(PRODUCT.c.quantity)) == 5


def test_a_reader_keeps_the_moment_it_began_with_while_others_write(database: Database) -> None:
    with database.sessions.reader() as session:
        before = session.scalar(COUNT)
        database.open_another().write(lambda writer: writer.execute(ADD))
        again = session.scalar(COUNT)

    with database.sessions.reader() as session:
        assert (before, again, session.scalar(COUNT)) == (0, 0, 1)


def test_what_is_written_is_read_by_every_instance(database: Database) -> None:
    other = Inventory(database.open_another())
    code = create_product(Inventory(database.sessions), quantity=2).code

    assert receive(other, code=code, quantity=1, **new_request()).total == 3


def test_work_that_meets_a_deadlock_is_repeated_until_it_is_done(database: Database) -> None:
    """Two units lock the same two rows in opposite order; each has the first one before it requests the second."""
    create_product(Inventory(database.sessions), "A-1")
    create_product(Inventory(database.sessions), "B-1")
    meeting = threading.Barrier(2)
    runs: list[int] = []

    def work(which: int) -> None:
        first, second = ("a-1", "b-1") if which else ("b-1", "a-1")

        def change_both(session: Session) -> None:
            runs.append(which)
            session.execute(ADD_TO_MINIMUM, {"key": first})
            if runs.count(which) == 1 and database.engine.dialect.name != "sqlite":
                meeting.wait(30)
            session.execute(ADD_TO_MINIMUM, {"key": second})

        database.sessions.write(change_both)

    at_once(2, work)

    with database.sessions.reader() as session:
        assert set(session.scalars(select(PRODUCT.c.minimum))) == {2}
    if database.engine.dialect.name != "sqlite":
        assert len(runs) > 2


@pytest.mark.parametrize(
    ("topology", "changes"),
    [pytest.param("mysql", {"sql_mode": "ANSI_QUOTES"}, marks=pytest.mark.mysql)],
    indirect=["topology"],
)
def test_a_server_that_is_set_to_cut_long_texts_refuses_them_all_the_same(
    database: Database, changes: dict[str, str]
) -> None:
    sessions = SingleDatabase.from_url(database.engine.url.update_query_dict(changes))
    try:
        create_product(Inventory(sessions), "A-1", quantity=1)
        with pytest.raises(DBAPIError, match="Data too long"):
            sessions.write(lambda session: session.execute(update(PRODUCT).values(code="x" * 65)))
    finally:
        sessions.close()


@pytest.mark.parametrize(
    ("topology", "changes", "said"),
    [
        pytest.param("mysql", {"password": "wrong"}, "Access denied", marks=pytest.mark.mysql),
        pytest.param("mysql", {"database": "contracts_absent"}, "Unknown database", marks=pytest.mark.mysql),
        pytest.param("mysql", {"port": 9}, "Can't connect", marks=pytest.mark.mysql),
        pytest.param("mysql", {"host": "no-such-host.invalid"}, "Can't connect", marks=pytest.mark.mysql),
    ],
    indirect=["topology"],
)
def test_a_server_that_is_not_there_or_refuses_is_reported_in_one_line(
    database: Database, changes: dict[str, str | int], said: str
) -> None:
    sessions = SingleDatabase.from_url(database.engine.url.set(**changes))  # type: ignore[arg-type]

    with pytest.raises(StorageRefused, match=said) as written:
        sessions.write(lambda session: session.execute(ADD))
    with pytest.raises(StorageRefused, match=said) as read, sessions.reader() as session:
        session.execute(COUNT)

    for refusal in (written.value, read.value):
        assert len(str(refusal).splitlines()) == 1
        assert "wrong" not in str(refusal)


def test_engines_with_another_isolation_level_are_refused_before_anything_is_written(
    database: Database, request: pytest.FixtureRequest
) -> None:
    level = "SERIALIZABLE" if "sqlite" in request.node.callspec.id else "REPEATABLE READ"
    engine = create_engine(database.engine.url, isolation_level=level)
    sessions = SingleDatabase(ReadWriteEngines(engine, engine, takes_turns=False, one_connection=False))
    try:
        if level == "SERIALIZABLE":
            sessions.write(lambda session: session.execute(ADD))
        else:
            with pytest.raises(StorageRefused, match="transactions are REPEATABLE READ"):
                sessions.write(lambda session: session.execute(ADD))
    finally:
        sessions.close()
