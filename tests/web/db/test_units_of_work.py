"""Functions that share a unit of work, and what ends it."""

from collections.abc import Iterator
from threading import Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from inventory_core import Inventory, SingleDatabase, TransactionMisuse
from inventory_core.errors import ReadOnlyUnit
from inventory_core.testing import create_product
from inventory_web.db.units_of_work import JoinedReads, ReadAfterWrite, SharedReads, underlying


@pytest.fixture
def shared(sessions: SingleDatabase) -> Iterator[SharedReads]:
    create_product(Inventory(sessions), "A", quantity=5)
    reads = SharedReads(sessions)
    yield reads
    reads.release()


def read(shared: SharedReads) -> Session:
    with shared.reader() as session:
        session.execute(text("SELECT 1"))
        return session


def test_readers_one_after_another_share_a_session_until_it_is_released(shared: SharedReads) -> None:
    first = read(shared)

    assert read(shared) is first
    with shared.source_reader() as session:
        assert session is not first
    shared.release()
    assert read(shared) is not first


def test_a_reader_of_the_source_is_shared_by_later_readers(shared: SharedReads) -> None:
    with shared.source_reader() as first:
        first.execute(text("SELECT 1"))

    assert read(shared) is first


def test_a_reader_inside_another_and_one_of_another_thread_have_sessions_of_their_own(shared: SharedReads) -> None:
    others: list[Session] = []
    with shared.reader() as outer, shared.reader() as inner:
        assert inner is not outer
    thread = Thread(target=lambda: others.append(read(shared)))
    thread.start()
    thread.join()

    assert others
    assert others[0] is not outer


def test_readers_after_a_write_see_it(shared: SharedReads) -> None:
    inventory = Inventory(shared)
    before = inventory.product("A")

    inventory.receive("A", 2, actor="ana", operation="1")

    assert before.row.total == 5
    assert inventory.product("A").row.total == 7


def test_an_error_ends_the_shared_session_and_is_that_of_the_source(shared: SharedReads) -> None:
    first = read(shared)
    with pytest.raises(ReadOnlyUnit) as refused, shared.reader() as session:
        session.execute(text("CREATE TABLE further (a INTEGER)"))

    assert isinstance(refused.value.__cause__, OperationalError)
    assert read(shared) is not first


def test_what_is_read_after_a_write_is_of_its_transaction(shared: SharedReads, sessions: SingleDatabase) -> None:
    def total(_: Session, joined: JoinedReads) -> int:
        with pytest.raises(TransactionMisuse):
            joined.write(lambda session: session.execute(text("SELECT 1")))
        return Inventory(joined).product("A").row.total

    source = ReadAfterWrite(shared, total)
    Inventory(source).receive("A", 2, actor="ana", operation="1")

    assert source.result == 7
    assert underlying(source) is sessions
