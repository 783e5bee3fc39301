"""The transaction of a unit of work, on SQLite: it needs no server."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, StaticPool, create_engine, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from inventory_replication import ReadOnlyUnitError, UnitOfWorkMisused
from inventory_replication.context import CausalContext
from inventory_replication.decisions.tokens import CausalToken
from inventory_replication.guards import reading_class, refuse_commits_in_work, refuse_writes_on, writing_class
from inventory_replication.sessions import one_write_at_a_time, run_in_one_transaction


class Model(DeclarativeBase):
    pass


class Note(Model):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class OwnSession(Session):
    pass


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = create_engine("sqlite://", poolclass=StaticPool)
    Model.metadata.create_all(made)
    refuse_commits_in_work(made)
    yield made
    made.dispose()


def write(engine: Engine, work: Callable[[OwnSession], object]) -> object:
    with one_write_at_a_time(engine, None):
        return run_in_one_transaction(writing_class(OwnSession)(bind=engine), work)


def notes(engine: Engine) -> list[int]:
    with Session(engine) as session:
        return list(session.scalars(select(Note.id)))


def test_one_write_at_a_time_refuses_a_write_while_an_answer_is_streamed() -> None:
    context = CausalContext(CausalToken("tests"), lambda _: "")
    context.streaming = True

    with pytest.raises(UnitOfWorkMisused, match="while the answer was being sent"), one_write_at_a_time("a", context):
        pass


def test_run_in_one_transaction_stores_what_the_work_adds(engine: Engine) -> None:
    assert write(engine, lambda session: session.add(Note(id=1, text="a"))) is None
    assert notes(engine) == [1]


def test_run_in_one_transaction_passes_a_session_of_the_configured_class(engine: Engine) -> None:
    kind = write(engine, type)

    assert isinstance(kind, type)
    assert issubclass(kind, OwnSession)


def test_run_in_one_transaction_rolls_back_and_raises_the_error_of_the_work(engine: Engine) -> None:
    def twice(session: Session) -> None:
        session.execute(insert(Note).values(id=1, text="a"))
        session.execute(insert(Note).values(id=1, text="b"))

    with pytest.raises(IntegrityError):
        write(engine, twice)

    assert notes(engine) == []


def test_guards_refuse_a_reader_that_writes_and_leave_the_engine_alone(engine: Engine) -> None:
    guarded = engine.execution_options()
    refuse_writes_on(guarded)
    reader = reading_class(Session)

    with reader(guarded) as session:
        session.add(Note(id=1, text="a"))
        with pytest.raises(ReadOnlyUnitError, match="store objects"):
            session.flush()
    with reader(guarded) as session, pytest.raises(ReadOnlyUnitError, match="INSERT"):
        session.execute(insert(Note).values(id=1, text="a"))
    with reader(guarded) as session, pytest.raises(ReadOnlyUnitError, match="as text"):
        session.execute(text("SELECT 1"))

    with engine.begin() as connection:
        assert connection.execute(text("INSERT INTO note VALUES (1, 'a')")).rowcount == 1


def test_one_write_at_a_time_refuses_a_nested_write(engine: Engine) -> None:
    def inner(session: Session) -> None:
        session.add(Note(id=2, text="inner"))

    def outer(session: Session) -> None:
        session.add(Note(id=1, text="outer"))
        write(engine, inner)

    with pytest.raises(UnitOfWorkMisused, match="inside a write"):
        write(engine, outer)
    assert notes(engine) == []

    write(engine, inner)
    assert notes(engine) == [2]


@pytest.mark.parametrize(
    ("end", "action"),
    [
        (lambda session: session.commit(), "commit"),
        (lambda session: session.rollback(), "rollback"),
        (lambda session: session.close(), "close"),
        (lambda session: session.connection().commit(), "commit"),
        (lambda session: session.connection().rollback(), "rollback"),
    ],
)
def test_run_in_one_transaction_refuses_work_that_ends_it(
    engine: Engine, end: Callable[[Session], None], action: str
) -> None:
    def work(session: Session) -> None:
        session.add(Note(id=1, text="a"))
        session.flush()
        end(session)

    with pytest.raises(UnitOfWorkMisused) as caught:
        write(engine, work)
    assert caught.value.action == action
    assert notes(engine) == []

    write(engine, lambda session: session.add(Note(id=2, text="b")))
    assert notes(engine) == [2]


def test_run_in_one_transaction_commits_a_savepoint(engine: Engine) -> None:
    def work(session: Session) -> None:
        with session.begin_nested():
            session.add(Note(id=1, text="a"))

    write(engine, work)

    assert notes(engine) == [1]
