"""One database and no replica: plain SQLAlchemy, on SQLite too."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from inventory_replication import RetryPolicy, SingleServer
from inventory_replication.errors import ConfigurationError, ReadOnlyUnitError, UnitOfWorkMisused


class Model(DeclarativeBase):
    pass


class Note(Model):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class OwnSession(Session):
    pass


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path / 'notes.db'}")
    Model.metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def database(engine: Engine) -> SingleServer[Session]:
    return SingleServer(engine, retry=RetryPolicy(attempts=3, first_delay=0.0, longest_delay=0.0))


def test_what_is_written_is_read(database: SingleServer[Session]) -> None:
    with database.causal("a token of another time") as context:
        database.write(lambda session: session.add(Note(id=1, text="a")))
        with database.reader(staleness_bound=0.0) as session:
            note = session.get(Note, 1)

    assert note is not None
    assert context.token is None
    assert context.rejected is None
    assert [each.role for each in context.served] == ["source", "source"]


def test_sessions_are_of_the_class_that_was_given(engine: Engine) -> None:
    database = SingleServer(engine, OwnSession)

    assert issubclass(database.write(type), OwnSession)
    with database.reader() as session:
        assert isinstance(session, OwnSession)


def test_an_error_of_the_work_rolls_back_and_arrives_as_it_is(database: SingleServer[Session]) -> None:
    def twice(session: Session) -> None:
        session.execute(insert(Note).values(id=1, text="a"))
        session.execute(insert(Note).values(id=1, text="b"))

    with pytest.raises(IntegrityError):
        database.write(twice)
    with database.reader() as session:
        assert session.scalars(select(Note)).all() == []


def test_a_reader_refuses_to_write_and_the_engine_of_the_caller_does_not(
    database: SingleServer[Session], engine: Engine
) -> None:
    with database.reader() as session:
        session.add(Note(id=1, text="a"))
        with pytest.raises(ReadOnlyUnitError, match="store objects"):
            session.flush()
    with database.reader() as session, pytest.raises(ReadOnlyUnitError, match="INSERT"):
        session.execute(insert(Note).values(id=1, text="a"))
    with database.reader() as session, pytest.raises(ReadOnlyUnitError, match="as text"):
        session.execute(text("SELECT 1"))

    with engine.begin() as connection:
        assert connection.execute(text("INSERT INTO note VALUES (1, 'a')")).rowcount == 1


def test_a_locked_database_is_tried_again_as_often_as_the_policy_says(
    database: SingleServer[Session], engine: Engine
) -> None:
    """Somebody else writes between the reading and the writing of each run."""
    runs: list[int] = []

    @event.listens_for(engine, "connect")
    def impatient(connection: object, _: object) -> None:
        connection.execute("PRAGMA busy_timeout = 0")  # type: ignore[attr-defined]

    engine.dispose()
    with engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")

        def work(session: Session) -> None:
            runs.append(1)
            session.add(Note(id=2, text="b"))
            if len(runs) == 2:
                other.rollback()

        database.write(work)
        other.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            database.write(lambda session: session.add(Note(id=3, text="c")))

    assert len(runs) == 2
    assert 'inventory_replication_repeats_total{fault="busy"} 3' in database.metrics()


def test_status_says_that_there_is_one_database(database: SingleServer[Session]) -> None:
    status = database.status()

    assert (status.mode, status.source) == ("source_only", "database")
    assert status.servers[0].address.endswith("notes.db")
    with pytest.raises(ConfigurationError):
        database.drain("database")


def test_a_write_inside_a_write_is_refused(database: SingleServer[Session]) -> None:
    def inner(session: Session) -> None:
        session.add(Note(id=2, text="inner"))

    def outer(session: Session) -> None:
        session.add(Note(id=1, text="outer"))
        database.write(inner)

    with pytest.raises(UnitOfWorkMisused, match="inside a write"):
        database.write(outer)
    with database.reader() as session:
        assert session.scalars(select(Note)).all() == []
    database.write(inner)


@pytest.mark.parametrize(
    ("end", "action"),
    [
        (lambda session: session.commit(), "commit"),
        (lambda session: session.rollback(), "rollback"),
        (lambda session: session.close(), "close"),
        (lambda session: session.connection().commit(), "commit"),
    ],
)
def test_work_that_ends_its_transaction_is_refused_and_nothing_is_stored(
    database: SingleServer[Session], end: Callable[[Session], None], action: str
) -> None:
    def work(session: Session) -> None:
        session.add(Note(id=1, text="a"))
        session.flush()
        end(session)

    with pytest.raises(UnitOfWorkMisused) as caught:
        database.write(work)
    with database.reader() as session:
        assert session.scalars(select(Note)).all() == []

    assert caught.value.action == action
    database.write(lambda session: session.add(Note(id=2, text="b")))
    with database.reader() as session:
        assert [note.id for note in session.scalars(select(Note))] == [2]


def test_a_savepoint_inside_work_is_committed(database: SingleServer[Session]) -> None:
    def work(session: Session) -> None:
        with session.begin_nested():
            session.add(Note(id=1, text="a"))

    database.write(work)
    with database.reader() as session:
        assert [note.id for note in session.scalars(select(Note))] == [1]
