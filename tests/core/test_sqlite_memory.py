"""The caches of all SQLite connections of a process stay within one limit."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from inventory_core import SingleDatabase
from inventory_core.database.engines import SQLITE_MEMORY_BYTES
from inventory_core.database.sql_batch import BULK_CACHE_KIBIBYTES, page_cache

READ_IN_SIXTEEN_THREADS = """
import sys, threading
from pathlib import Path
from sqlalchemy import text
from inventory_core import SingleDatabase

def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

sessions = SingleDatabase.from_file(Path(sys.argv[1]))
together = threading.Barrier(16)

def read() -> None:
    with sessions.reader() as session:
        session.scalar(text("SELECT 1"))
        together.wait(60)
        session.scalar(text("SELECT SUM(LENGTH(content)) FROM filler"))
        together.wait(60)

before = resident()
threads = [threading.Thread(target=read) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print((resident() - before) >> 20)
"""


def memory_limit(sessions: SingleDatabase) -> int:
    with sessions.reader() as session:
        return int(session.scalar(text("PRAGMA soft_heap_limit")) or 0)


def test_a_limit_that_the_program_has_set_stays(tmp_path: Path) -> None:
    own = sqlite3.connect(":memory:")
    before = own.execute("PRAGMA soft_heap_limit").fetchone()[0]
    sessions = SingleDatabase.from_file(tmp_path / "inventory.db")
    try:
        own.execute("PRAGMA soft_heap_limit = 77000000")
        assert memory_limit(sessions) == 77_000_000
        own.execute("PRAGMA soft_heap_limit = 0")
        sessions.close()
        assert memory_limit(sessions) == SQLITE_MEMORY_BYTES
    finally:
        own.execute(f"PRAGMA soft_heap_limit = {before}")
        own.close()
        sessions.close()


def test_a_large_change_has_more_memory_while_it_runs(tmp_path: Path) -> None:
    sessions = SingleDatabase.from_file(tmp_path / "inventory.db")
    before = memory_limit(sessions)

    def measured() -> int:
        with (
            sessions.engine.connect() as connection,
            page_cache(connection, BULK_CACHE_KIBIBYTES, raise_heap_limit=True),
        ):
            return int(connection.exec_driver_sql("PRAGMA soft_heap_limit").scalar_one())

    assert measured() > before > 0
    assert memory_limit(sessions) == before
    sessions.close()


@pytest.mark.slow
def test_sixteen_readers_share_one_limit(tmp_path: Path) -> None:
    path = tmp_path / "inventory.db"
    with sqlite3.connect(path) as filling:
        filling.execute("CREATE TABLE filler (content BLOB)")
        filling.executemany("INSERT INTO filler VALUES (?)", [(bytes(3_000),)] * 12_000)
    filling.close()
    program = [sys.executable, "-c", READ_IN_SIXTEEN_THREADS, str(path)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=True)

    assert int(done.stdout) < 2 * SQLITE_MEMORY_BYTES >> 20
