"""Where an inventory may live. Every statement of this folder holds in each of these places.

A further topology is one more class with the methods of `Topology` and one more name in `conftest.TOPOLOGIES`.
"""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from sqlalchemy import URL, Engine, text

from inventory_core import SessionSource, SingleDatabase
from inventory_core.tables import metadata as core_tables
from inventory_web.schema import upgrade_all
from inventory_web.tables import metadata as web_tables


@dataclass
class Database:
    """A database of one test's own, at the current schema, with what a new inventory holds.

    `sessions` are those of the test; `open_another` gives those of a further instance, as another process would have
    them. `engine` is the one that writes. `address` is what `other_process.py` opens. Inside `causal` a unit of work sees
    what an earlier one wrote.
    """

    sessions: SessionSource
    engine: Engine
    address: str
    open_another: Callable[[], SessionSource]
    causal: Callable[[], AbstractContextManager[object]] = nullcontext


class Topology(ABC):
    """A way to keep an inventory."""

    name: str

    @abstractmethod
    def database(self) -> AbstractContextManager[Database]:
        """Give a database that nobody else uses meanwhile."""

    @abstractmethod
    def empty(self) -> AbstractContextManager[SingleDatabase]:
        """Give a database without any table."""


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
        url = self._url(shutil.copy(self._template, self.folder / f"{next(self._numbers)}.db"))
        with _database(url) as made:
            yield made

    @contextmanager
    def empty(self) -> Iterator[SingleDatabase]:
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
    _free: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def database(self) -> Iterator[Database]:
        name = self._free.pop() if self._free else self._made()
        with _database(self.server.set(database=name)) as made:
            yield made
            clear(made.engine, f"{name}_seeds")
        self._free.append(name)

    @contextmanager
    def empty(self) -> Iterator[SingleDatabase]:
        name = f"contracts_empty_{next(self._numbers)}"
        self.create(name)
        with _opened(self.server.set(database=name)) as sessions:
            yield sessions
        self.drop(name)

    def _made(self) -> str:
        name = f"contracts_{next(self._numbers)}"
        for each in (name, f"{name}_seeds"):
            self.create(each)
        with _opened(self.server.set(database=name)) as sessions:
            upgrade_all(sessions.engine)
            keep_seeds(sessions.engine, f"{name}_seeds")
        return name


def keep_seeds(engine: Engine, seeds: str) -> None:
    """Copy what the migrations wrote into the schema `seeds`."""
    with engine.begin() as connection:
        for table in _tables():
            if connection.scalar(text(f"SELECT EXISTS (SELECT * FROM `{table}`)")):
                connection.execute(text(f"CREATE TABLE `{seeds}`.`{table}` AS SELECT * FROM `{table}`"))


def clear(engine: Engine, seeds: str) -> None:
    """Bring back what the migrations wrote, and nothing else."""
    with engine.begin() as connection:
        connection.execute(text("SET SESSION foreign_key_checks = OFF"))
        kept = set(connection.scalars(text(f"SHOW TABLES FROM `{seeds}`")))
        for table in _tables():
            connection.execute(text(f"DELETE FROM `{table}`"))
            if table in kept:
                connection.execute(text(f"INSERT INTO `{table}` SELECT * FROM `{seeds}`.`{table}`"))
        connection.execute(text("SET SESSION foreign_key_checks = ON"))


def _tables() -> list[str]:
    return [*core_tables.tables, *web_tables.tables]


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
