"""The transaction of a write: one that the work in it can neither end nor nest. SQLite is enough for that."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from inventory_replication.context import CausalContext
from inventory_replication.decisions.tokens import CausalToken
from inventory_replication.errors import UnitOfWorkMisused
from inventory_replication.guards import refuse_commits_in_work, writing_class
from inventory_replication.sessions import one_write_at_a_time, run_in_one_transaction

ADD = text("INSERT INTO note VALUES (1)")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path / 'notes.db'}")
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE note (id INTEGER)"))
    refuse_commits_in_work(made)
    yield made
    made.dispose()


def write(engine: Engine, work: Callable[[Session], object]) -> None:
    run_in_one_transaction(writing_class(Session)(engine), work)


def count_notes(engine: Engine) -> int:
    with engine.connect() as connection:
        return len(connection.execute(text("SELECT id FROM note")).all())


ENDINGS: dict[str, Callable[[Session], None]] = {
    "commit": lambda session: session.commit(),
    "rollback": lambda session: session.rollback(),
    "close": lambda session: session.close(),
    "commit of the connection": lambda session: session.connection().commit(),
    "rollback of the connection": lambda session: session.connection().rollback(),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_transaction_that_its_work_ends_is_refused_and_stores_nothing(engine: Engine, ending: str) -> None:
    def work(session: Session) -> None:
        session.execute(ADD)
        ENDINGS[ending](session)
        session.execute(ADD)

    with pytest.raises(UnitOfWorkMisused) as caught:
        write(engine, work)

    assert caught.value.action == ending.partition(" ")[0]
    assert count_notes(engine) == 0
    write(engine, lambda session: session.execute(ADD))
    assert count_notes(engine) == 1


def test_savepoint_inside_a_transaction_is_committed_with_it(engine: Engine) -> None:
    def work(session: Session) -> None:
        with session.begin_nested():
            session.execute(ADD)

    write(engine, work)

    assert count_notes(engine) == 1


def test_write_inside_a_write_is_refused_for_the_same_owner_only() -> None:
    with (
        one_write_at_a_time("one", None),
        one_write_at_a_time("other", None),
        pytest.raises(UnitOfWorkMisused, match="inside a write"),
        one_write_at_a_time("one", None),
    ):
        pass
    with one_write_at_a_time("one", None):
        pass


def test_write_while_an_answer_is_streamed_is_refused() -> None:
    context = CausalContext(CausalToken("tests"), lambda _: "")
    context.streaming = True
    with pytest.raises(UnitOfWorkMisused, match="while the answer was being sent"), one_write_at_a_time("one", context):
        pass
