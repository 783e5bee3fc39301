"""The schema's migrations, for this package's tables and for any package that brings its own."""

import ast
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, column, func, inspect, select, table
from sqlalchemy.exc import DBAPIError

from inventory_core.database.dialects import translate_driver_error
from inventory_core.database.engines import require_dialect
from inventory_core.database.table_names import table_name
from inventory_core.errors import DatabaseBusy, Fault, InvalidInput, SchemaNotCurrent
from inventory_core.rules.texts import shown

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported only to migrate: it costs a quarter of a second per command and 7 MB per server.
# ruff: noqa: PLC0415

LOCK_TIMEOUT_SECONDS = 300
"""Seconds that an instance waits for another one that migrates."""

_one_thread = threading.Lock()
"""Alembic keeps the running migration in module variables, so a process runs one at a time."""


@dataclass(slots=True)
class SchemaChain:
    """A chain of Alembic migrations: ``location`` such as ``my_package:migrations``, and its own version table."""

    location: str
    version_table: str

    def head(self) -> str:
        """Return the revision that the program requires."""
        revisions = self._revisions()
        return next(iter(revisions.keys() - set(revisions.values())), "")

    def revision(self, engine: Engine) -> str | None:
        """Return the revision of the database; None if it is empty. Raises ``StorageRefused``."""
        with _translated(engine), engine.connect() as connection:
            if not inspect(connection).has_table(self.version_table):
                return None
            version = table(self.version_table, column("version_num"))
            return connection.scalar(select(version.c.version_num))

    def require_current(self, engine: Engine) -> None:
        """Raise ``SchemaNotCurrent`` unless the database is at the head."""
        found = self.revision(engine)
        if found != self.head():
            raise SchemaNotCurrent(found, self.head(), newer=found is not None and found not in self._revisions())

    def upgrade(self, engine: Engine, revision: str = "head") -> None:
        """Bring the schema up to date; on SQLite all or nothing.

        Safe to repeat, also after a failure, and to call from several threads and processes at the same time: one of them
        migrates, the others wait. Raises ``StorageRefused``, ``DatabaseBusy``, ``SchemaNotCurrent`` for a database of a newer
        program, or ``InvalidInput`` for an unknown ``revision``.
        """
        from alembic import command

        self._require_known(revision)
        self._run(engine, lambda config: command.upgrade(config, revision))

    def downgrade(self, engine: Engine, revision: str) -> None:
        """Take the schema back to ``revision`` (``base`` drops everything, with the data). Raises the errors of ``upgrade``."""
        from alembic import command

        self._require_known(revision)
        self._run(engine, lambda config: command.downgrade(config, revision))

    def _run(self, engine: Engine, run: Callable[["Config"], None]) -> None:
        from alembic.util import CommandError

        require_dialect(engine.dialect.name)
        try:
            with (
                _translated(engine),
                _one_thread,
                _alone(engine, self.version_table),
                engine.begin() as connection,
            ):
                run(self._config(connection))
        except CommandError as error:
            raise SchemaNotCurrent(self.revision(engine), self.head(), newer=True) from error

    def _revisions(self) -> dict[str, str | None]:
        """Return each revision with the one before it, as the scripts assign them."""
        package, _, folder = self.location.partition(":")
        scripts = files(package).joinpath(folder, "versions").iterdir()
        named = (script for script in scripts if script.name.endswith(".py") and script.name != "__init__.py")
        return dict(_read_revision(script.read_text("utf-8")) for script in named)

    def _require_known(self, revision: str) -> None:
        if revision not in ("head", "base") and revision not in self._revisions():
            raise InvalidInput(Fault("revision", "unknown", shown(revision)))

    def _config(self, connection: Connection | None = None) -> "Config":
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", self.location)
        config.attributes["version_table"] = self.version_table
        config.attributes["connection"] = connection
        return config


def _read_revision(script: str) -> tuple[str, str | None]:
    """Return the revision of a migration and the one before it, without running the script, which would import Alembic."""
    constants = {
        target.id: ast.literal_eval(statement.value)
        for statement in ast.parse(script).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name) and target.id in {"revision", "down_revision"}
    }
    return constants["revision"], constants["down_revision"]


@contextmanager
def _alone(engine: Engine, version_table: str) -> Iterator[None]:
    """Allow one process at a time to migrate. SQLite's write lock does that; MySQL ends its transaction with each table change."""
    if engine.dialect.name != "mysql":
        yield
        return
    # A lock belongs to the whole server, and its name has at most 64 characters.
    name = hashlib.sha256(f"{engine.url.database}.{version_table}".encode()).hexdigest()
    with engine.connect() as guard:
        if guard.scalar(func.get_lock(name, LOCK_TIMEOUT_SECONDS)) != 1:
            raise DatabaseBusy(1)
        try:
            yield
        finally:
            guard.scalar(func.release_lock(name))


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        refused = translate_driver_error(error, engine.url)
        if refused is None:
            raise
        raise refused from error


CORE_SCHEMA = SchemaChain("inventory_core.database:migrations", table_name("core_version"))
