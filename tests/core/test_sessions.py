import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import URL, Engine, create_engine, create_mock_engine, event, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from inventory_core import (
    CORE_SCHEMA,
    DatabaseBusy,
    Inventory,
    ReadOnlyUnit,
    ReadWriteEngines,
    SchemaNotCurrent,
    SingleDatabase,
    StorageRefused,
    TransactionMisuse,
)
from inventory_core.models import metadata
from inventory_core.stock.operations import receive
from inventory_core.testing import create_product, new_request, temporary_inventory, write_database
from tests.contracts.test_sessions import WRITES

ADD = text("INSERT INTO inventory_category (name, name_key) VALUES ('Nueva', 'nueva')")
COUNT = text("SELECT count(*) FROM inventory_category WHERE name = 'Nueva'")


@pytest.fixture(params=["file", "memory"])
def sessions(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SingleDatabase]:
    if request.param == "file":
        created = SingleDatabase.from_file(tmp_path / "inventory.db")
    else:
        created = SingleDatabase.from_url("sqlite://")
    CORE_SCHEMA.upgrade(created.engine)
    yield created
    created.close()


WRITES_OF_SQLITE: dict[str, Callable[[Session], object]] = {
    **WRITES,
    "table": lambda session: session.execute(text("CREATE TABLE other (id INTEGER)")),
}


@pytest.mark.parametrize("way", WRITES_OF_SQLITE)
def test_a_reader_refuses_to_write_in_whatever_way(sessions: SingleDatabase, way: str) -> None:
    with pytest.raises(ReadOnlyUnit), sessions.reader() as session:
        WRITES_OF_SQLITE[way](session)

    with sessions.reader() as session:
        assert session.scalar(COUNT) == 0


def test_a_reader_that_was_refused_does_not_keep_the_next_unit_from_writing(sessions: SingleDatabase) -> None:
    with pytest.raises(ReadOnlyUnit), sessions.reader() as session:
        session.execute(ADD)

    sessions.write(lambda session: session.execute(ADD))

    with sessions.reader() as session:
        assert session.scalar(COUNT) == 1


def test_work_that_raises_leaves_nothing_behind(sessions: SingleDatabase) -> None:
    def work(session: Session) -> None:
        session.execute(ADD)
        raise KeyError("changed my mind")

    with pytest.raises(KeyError):
        sessions.write(work)

    with sessions.reader() as session:
        assert session.scalar(COUNT) == 0


def test_a_write_inside_a_write_is_refused_at_once(sessions: SingleDatabase) -> None:
    with pytest.raises(TransactionMisuse, match="in this thread already"):
        sessions.write(lambda _: sessions.write(lambda session: session.execute(ADD)))


def test_a_write_inside_a_write_is_refused_by_another_object_over_the_same_file(tmp_path: Path) -> None:
    write_database(tmp_path / "inventory.db")
    first, second = (SingleDatabase.from_file(tmp_path / "inventory.db") for _ in range(2))
    try:
        with pytest.raises(TransactionMisuse, match="in this thread already"):
            first.write(lambda _: second.write(lambda session: session.execute(ADD)))
    finally:
        first.close()
        second.close()


def test_work_that_rolls_its_connection_back_is_refused(sessions: SingleDatabase) -> None:
    def work(session: Session) -> None:
        session.connection().rollback()
        session.connection().execute(ADD)

    with pytest.raises(TransactionMisuse, match=r"must not call rollback\(\)"):
        sessions.write(work)

    with sessions.reader() as session:
        assert session.scalar(COUNT) == 0


def test_an_engine_commits_for_others_after_work_has_failed(sessions: SingleDatabase) -> None:
    with pytest.raises(KeyError):
        sessions.write(lambda session: {}[session.scalar(COUNT)])
    with sessions.engine.begin() as connection:
        connection.execute(ADD)

    with sessions.reader() as session:
        assert session.scalar(COUNT) == 1


def test_a_write_to_another_database_is_allowed_inside_a_write(tmp_path: Path) -> None:
    with temporary_inventory(tmp_path) as outer:
        inner = SingleDatabase.from_url("sqlite://")
        CORE_SCHEMA.upgrade(inner.engine)
        outer.sessions.write(lambda _: inner.write(lambda session: session.execute(ADD)))
        with inner.reader() as session:
            assert session.scalar(COUNT) == 1
        inner.close()


def test_engines_of_another_dialect_are_refused_by_name() -> None:
    other = create_mock_engine("postgresql://", executor=lambda *_: None)

    with pytest.raises(StorageRefused, match="postgresql is not supported; use SQLite or MySQL"):
        ReadWriteEngines(cast("Engine", other), cast("Engine", other), takes_turns=False, one_connection=False)


@pytest.mark.parametrize("url", ["postgresql+psycopg://h/d", "mariadb+pymysql://h/d", "oracle://h/d", "nonsense://h/d"])
def test_a_url_of_another_database_is_refused_by_name_when_it_is_opened(url: str) -> None:
    with pytest.raises(StorageRefused, match=url.partition("+")[0].partition(":")[0]):
        SingleDatabase.from_url(url)


def test_a_reader_keeps_the_moment_it_began_with_while_others_write(tmp_path: Path) -> None:
    with temporary_inventory(tmp_path) as inventory, inventory.sessions.reader() as session:
        before = session.scalar(COUNT)
        inventory.sessions.write(lambda writer: writer.execute(ADD))

        assert (before, session.scalar(COUNT)) == (0, 0)


def test_foreign_keys_hold_and_the_log_is_written_ahead(tmp_path: Path) -> None:
    with temporary_inventory(tmp_path) as inventory:
        inventory.sessions.write(lambda session: session.execute(ADD))
        with inventory.sessions.reader() as session:
            assert session.scalar(text("PRAGMA foreign_keys")) == 1
            assert session.scalar(text("PRAGMA journal_mode")) == "wal"


def refused_while_another_writes(path: Path, sessions: SingleDatabase) -> DatabaseBusy:
    """Return the error of a write while another program holds the lock."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(DatabaseBusy) as caught:
            sessions.write(lambda session: session.execute(ADD))
    finally:
        other.close()
        sessions.close()
    return caught.value


def test_a_busy_database_is_tried_a_bounded_number_of_times(tmp_path: Path) -> None:
    path = tmp_path / "inventory.db"
    write_database(path)
    sessions = SingleDatabase.from_url(URL.create("sqlite", database=str(path), query={"timeout": "0"}), attempts=3)
    begun: list[object] = []
    event.listen(sessions.engine, "begin", begun.append)
    caught = refused_while_another_writes(path, sessions)

    assert caught.attempts == 3
    assert len(begun) == 3
    assert str(caught) == "the database is still busy after 3 attempts; try again"
    assert isinstance(caught.__cause__, OperationalError)


def test_a_busy_database_is_not_tried_again_once_patience_is_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "inventory.db"
    write_database(path)
    sessions = SingleDatabase.from_url(URL.create("sqlite", database=str(path), query={"timeout": "0"}), patience=0.0)
    caught = refused_while_another_writes(path, sessions)

    assert caught.attempts == 1
    assert "after 1 attempt;" in str(caught)


def test_who_waits_for_a_long_unit_of_the_same_process_learns_that_the_database_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "inventory.db"
    write_database(path)
    sessions = SingleDatabase.from_file(path, patience=0.05)
    begun, reported = threading.Event(), threading.Event()

    def long_work(session: Session) -> None:
        session.execute(ADD)
        begun.set()
        assert reported.wait(30)

    with ThreadPoolExecutor(1) as other:
        longer = other.submit(sessions.write, long_work)
        assert begun.wait(30)
        try:
            with pytest.raises(DatabaseBusy):
                sessions.write(lambda session: session.execute(ADD))
        finally:
            reported.set()
        longer.result()
    with sessions.reader() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM inventory_category WHERE name_key = 'nueva'")) == 1
    sessions.close()


def test_reader_without_a_free_connection_raises_database_busy_with_its_cause(tmp_path: Path) -> None:
    write_database(tmp_path / "inventory.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'inventory.db'}", pool_size=1, max_overflow=0, pool_timeout=0.05)
    sessions = SingleDatabase(ReadWriteEngines(engine, engine, takes_turns=False, one_connection=False))
    try:
        with sessions.reader() as first:
            first.scalar(COUNT)
            with pytest.raises(DatabaseBusy) as caught, sessions.reader() as second:
                second.scalar(COUNT)
    finally:
        sessions.close()

    assert isinstance(caught.value.__cause__, PoolTimeout)


def test_work_is_repeated_until_the_database_is_free(tmp_path: Path) -> None:
    path = tmp_path / "inventory.db"
    write_database(path)
    sessions = SingleDatabase.from_url(URL.create("sqlite", database=str(path), query={"timeout": "0"}))
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    event.listen(sessions.engine, "begin", lambda _: other.rollback())
    try:
        sessions.write(lambda session: session.execute(ADD))
    finally:
        other.close()
        sessions.close()

    with sqlite3.connect(path) as reading:
        assert reading.execute(str(COUNT)).fetchone() == (1,)
    reading.close()


def test_a_file_named_like_a_database_in_memory_is_a_file_with_a_log(tmp_path: Path) -> None:
    sessions = SingleDatabase.from_file(tmp_path / ":memory:")
    try:
        CORE_SCHEMA.upgrade(sessions.engine)
        with sessions.reader() as session:
            assert session.scalar(text("PRAGMA journal_mode")) == "wal"
            sessions.write(lambda writer: writer.execute(ADD))
    finally:
        sessions.close()


@pytest.mark.parametrize(
    "name", ["a b.db", "ñandú.db", "50%20.db", "what?.db", "a#b.db", "it's.db", "file:x.db", ":memory:"]
)
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    write_database(tmp_path / name)
    sessions = SingleDatabase.from_file(tmp_path / name)
    try:
        create_product(Inventory(sessions), "A-1", quantity=1)
    finally:
        sessions.close()

    with sqlite3.connect(f"{(tmp_path / name).as_uri()}?mode=ro", uri=True) as reading:
        assert reading.execute("SELECT code FROM inventory_product").fetchall() == [("A-1",)]
    reading.close()


def test_a_missing_folder_is_named_in_one_line(tmp_path: Path) -> None:
    sessions = SingleDatabase.from_file(tmp_path / "missing" / "inventory.db")

    with pytest.raises(StorageRefused) as caught:
        CORE_SCHEMA.upgrade(sessions.engine)
    with pytest.raises(StorageRefused), sessions.reader() as session:
        session.execute(COUNT)

    assert caught.value.detail == f"the folder {tmp_path / 'missing'} does not exist; create it or choose another place"


def test_a_folder_in_the_place_of_the_file_cannot_be_opened(tmp_path: Path) -> None:
    sessions = SingleDatabase.from_file(tmp_path)

    with pytest.raises(StorageRefused, match="cannot be opened"):
        sessions.write(lambda session: session.execute(ADD))


def test_a_read_only_file_is_the_storage_that_refuses_and_not_the_unit(tmp_path: Path) -> None:
    path = tmp_path / "inventory.db"
    with temporary_inventory(tmp_path) as inventory:
        create_product(inventory, "A-1")
    sessions = SingleDatabase.from_url(f"sqlite:///file:{path}?mode=ro&uri=true")
    try:
        with pytest.raises(StorageRefused, match="read-only; allow writing") as caught:
            receive(Inventory(sessions), code="A-1", quantity=1, **new_request())
        with sessions.reader() as session:
            assert session.scalar(text("SELECT code FROM inventory_product")) == "A-1"
    finally:
        sessions.close()

    assert len(str(caught.value).splitlines()) == 1


def test_a_full_disk_is_reported_in_one_line_and_nothing_is_half_written(inventory: Inventory) -> None:
    sessions = inventory.sessions
    assert isinstance(sessions, SingleDatabase)

    def limit(session: Session) -> None:
        pages = session.scalar(text("PRAGMA page_count"))
        session.execute(text(f"PRAGMA max_page_count = {pages}"))

    def register(_: int) -> object:
        return create_product(inventory, description="x" * 2000, quantity=1)

    sessions.write(limit)
    registered: list[object] = []
    with pytest.raises(StorageRefused, match="full; free some space"):
        registered.extend(map(register, range(2000)))

    with sessions.reader() as session:
        for table in ("inventory_product", "inventory_movement", "inventory_balance", "inventory_operation"):
            assert session.scalar(select(func.count()).select_from(metadata.tables[table])) == len(registered)


@pytest.mark.parametrize(
    ("content", "said"), [(b"no database at all, but long enough to be looked at" * 40, "not an SQLite database")]
)
def test_a_file_that_is_not_a_database_is_reported(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "inventory.db").write_bytes(content)
    sessions = SingleDatabase.from_file(tmp_path / "inventory.db")

    with pytest.raises(StorageRefused, match=said):
        CORE_SCHEMA.revision(sessions.engine)


def test_an_old_sqlite_is_refused_before_anything_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 33, 0))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.33.0")

    with pytest.raises(StorageRefused, match=r"SQLite 3\.35\.0 or newer is needed, this Python has 3\.33\.0"):
        SingleDatabase.from_url("sqlite://")


def test_an_empty_database_is_not_current_and_says_the_cure(tmp_path: Path) -> None:
    sessions = SingleDatabase.from_file(tmp_path / "inventory.db")
    try:
        with pytest.raises(SchemaNotCurrent, match="inventory migrate"):
            CORE_SCHEMA.require_current(sessions.engine)
        CORE_SCHEMA.upgrade(sessions.engine)
        CORE_SCHEMA.require_current(sessions.engine)
    finally:
        sessions.close()


def test_threads_read_a_database_in_memory_one_after_the_other() -> None:
    sessions = SingleDatabase.from_url("sqlite://")
    CORE_SCHEMA.upgrade(sessions.engine)
    inventory = Inventory(sessions)
    create_product(inventory, "A-1")
    seen = []

    def read_and_write() -> None:
        for _ in range(20):
            receive(inventory, code="A-1", quantity=1, **new_request())
            with sessions.reader() as session:
                seen.append(session.scalar(text("SELECT quantity FROM inventory_product")))

    threads = [threading.Thread(target=read_and_write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sessions.close()

    assert len(seen) == 80
    assert max(seen) == 80
