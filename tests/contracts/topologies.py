"""Where an inventory may live. Every statement of this folder holds in each of these places.

A further topology is one more class with the methods of `Topology` and one more name in `conftest.TOPOLOGIES`.
"""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, Table, delete, insert, select, text

from inventory_core import SessionSource, SingleDatabase
from inventory_core.models import metadata as core_tables
from inventory_web.db.models import JobRow, User
from inventory_web.db.schema import upgrade_all

TABLES = [*core_tables.tables.values(), *User.metadata.tables.values()]
assert JobRow.metadata is User.metadata

INSERT_ONLY = (
    "inventory_movement",
    "inventory_operation",
    "inventory_operation_result",
    "inventory_product_revision",
    "inventory_web_audit_event",
)

Seeds = dict[Table, list[dict[str, Any]]]


@dataclass
class Database:
    """A database of one test's own, at the current schema, with what a new inventory holds.

    `sessions` are those of the test; `open_another` gives those of a further instance, as another process would have
    them. `engine` is the one that writes. `address` is what `other_process.py` opens, whose token `learn` takes. A unit of
    work sees what an earlier one wrote.
    """

    sessions: SessionSource
    engine: Engine
    address: str
    open_another: Callable[[], SessionSource]
    learn: Callable[[str | None], None] = lambda _: None


class Topology(ABC):
    """A way to keep an inventory."""

    name: str

    @abstractmethod
    def database(self) -> AbstractContextManager[Database]:
        """Yield a database that no other test uses meanwhile."""


@dataclass
class SQLiteFiles(Topology):
    """A file for each database."""

    folder: Path
    name: str = "sqlite"
    _template: Path | None = None
    _numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def database(self) -> Iterator[Database]:
        if self._template is None:
            self._template = self.folder / "template.db"
            with _opened(self._url(self._template)) as sessions:
                upgrade_all(sessions.engine)
        url = self._url(Path(shutil.copy(self._template, self.folder / f"{next(self._numbers)}.db")))
        with _database(url) as made:
            yield made

    @contextmanager
    def empty(self) -> Iterator[SingleDatabase]:
        """Give a database without any table."""
        with _opened(self._url(self.folder / f"empty-{next(self._numbers)}.db")) as sessions:
            yield sessions

    def _url(self, path: Path) -> URL:
        return URL.create("sqlite", database=str(path))


@dataclass
class MySQLSchemas(Topology):
    """A schema of one server for each database; one that is given back is emptied for the next."""

    server: URL
    create: Callable[[str], None]
    drop: Callable[[str], None]
    name: str = "mysql"
    _seeds: Seeds = field(default_factory=dict)
    _free: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def database(self) -> Iterator[Database]:
        name = self._free.pop() if self._free else self._made()
        with _database(self.server.set(database=name)) as made:
            yield made
            clear(made.engine, self._seeds)
        self._free.append(name)

    @contextmanager
    def empty(self) -> Iterator[SingleDatabase]:
        """Give a database without any table."""
        name = f"contracts_empty_{next(self._numbers)}"
        self.create(name)
        with _opened(self.server.set(database=name)) as sessions:
            yield sessions
        self.drop(name)

    def _made(self) -> str:
        name = f"contracts_{next(self._numbers)}"
        self.create(name)
        with _opened(self.server.set(database=name)) as sessions:
            upgrade_all(sessions.engine)
            self._seeds = read_seeds(sessions.engine)
        return name


def read_seeds(engine: Engine) -> Seeds:
    """What the migrations wrote."""
    with engine.connect() as connection:
        return {table: [dict(row) for row in connection.execute(select(table)).mappings()] for table in TABLES}


def clear(engine: Engine, seeds: Seeds) -> None:
    """Bring back what the migrations wrote, and nothing else."""
    with engine.begin() as connection:
        connection.execute(text("SET SESSION foreign_key_checks = OFF"))
        for table, rows in seeds.items():
            # Rows of some tables are insert only, which a new table is not.
            insert_only = table.name in INSERT_ONLY
            connection.execute(text(f"TRUNCATE TABLE {table.name}") if insert_only else delete(table))
            if rows:
                connection.execute(insert(table), rows)
        connection.execute(text("SET SESSION foreign_key_checks = ON"))


@contextmanager
def _opened(url: URL) -> Iterator[SingleDatabase]:
    sessions = SingleDatabase.from_url(url)
    try:
        yield sessions
    finally:
        sessions.close()


@contextmanager
def _database(url: URL) -> Iterator[Database]:
    opened = [SingleDatabase.from_url(url)]

    def open_another() -> SingleDatabase:
        opened.append(SingleDatabase.from_url(url))
        return opened[-1]

    try:
        yield Database(opened[0], opened[0].engine, url.render_as_string(hide_password=False), open_another)
    finally:
        for sessions in opened:
            sessions.close()
