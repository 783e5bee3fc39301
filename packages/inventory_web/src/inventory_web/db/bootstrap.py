"""Opens the database of the settings: SQLite, one server, or a source with replicas."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

import platformdirs
from flask import Flask
from flask_babel import gettext
from pluggy import PluginManager
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from inventory_core import (
    SUPPORTED_DIALECTS,
    Inventory,
    SessionSource,
    SingleDatabase,
    StorageRefused,
    build_plugin_manager,
)
from inventory_replication import ReplicatedCluster
from inventory_replication.integrations.flask import CausalRequests
from inventory_web.db import replicas
from inventory_web.db.replicas import ReplicatedDatabase
from inventory_web.db.sql_comments import comment_statements
from inventory_web.errors import SettingsRefused
from inventory_web.settings import Settings

DATABASE_FILE = "inventory.db"
SECRET_FILE = "secret_key"  # noqa: S105 - the name of the file
OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR


def database_url(settings: Settings) -> URL:
    """Return the URL of the source; without a setting, SQLite in the user's data folder, which is created if missing.

    A URL with an account but no password gets ``INVENTORY_DATABASE_PASSWORD``. Raises ``SettingsRefused`` for an invalid URL and
    ``StorageRefused`` if the folder cannot be created.
    """
    configured = settings.database_url.get_secret_value()
    if configured:
        try:
            url = make_url(configured)
        except ArgumentError:
            raise SettingsRefused(
                gettext(
                    "INVENTORY_DATABASE_URL no es una dirección de base de datos; escriba sqlite:///datos.db o mysql+pymysql://…"
                )
            ) from None
        password = settings.database_password.get_secret_value()
        return url.set(password=password) if password and url.username and url.password is None else url
    folder = Path(platformdirs.user_data_dir("inventory", appauthor=False))
    try:
        folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageRefused(f"{folder}: {error.strerror}") from error
    _restrict(folder, stat.S_IRWXU)
    return URL.create("sqlite", database=str(folder / DATABASE_FILE))


def open_sessions(settings: Settings) -> SingleDatabase | ReplicatedDatabase:
    """Open the database, or the source and its replicas; connects to nothing yet.

    Raises the errors of ``database_url``, and ``SettingsRefused`` for invalid replicas.
    """
    if not settings.replica_urls:
        return _open(database_url(settings))
    url = database_url(settings)
    cluster = ReplicatedCluster(
        replicas.cluster_config(settings, url, secret_keys(settings)), on_engine=comment_statements
    )
    return ReplicatedDatabase(cluster, url)


def open_server(settings: Settings) -> SingleDatabase:
    """Open the server that commands use: the current source.

    Raises the errors of ``open_sessions``, and ``ClusterRefused`` while there is no source.
    """
    sessions = open_sessions(settings)
    if isinstance(sessions, SingleDatabase):
        return sessions
    try:
        return _open(sessions.source_url())
    finally:
        sessions.close()


def init_causal_tokens(app: Flask, settings: Settings, sessions: SessionSource) -> None:
    """Carry causal tokens in a cookie if there are replicas, so that each browser sees its own changes on every instance."""
    if isinstance(sessions, ReplicatedDatabase):
        CausalRequests(app, sessions.cluster, secure=settings.secure_cookies, answer_errors=False)


def _open(url: URL) -> SingleDatabase:
    if url.get_backend_name() not in SUPPORTED_DIALECTS:
        name = url.drivername
        raise SettingsRefused(
            gettext("INVENTORY_DATABASE_URL: la base de datos «%(name)s» no se admite; use SQLite o MySQL", name=name)
        )
    try:
        database = SingleDatabase.from_url(url)
    except (ArgumentError, ModuleNotFoundError):
        name = url.drivername
        raise SettingsRefused(
            gettext("INVENTORY_DATABASE_URL: no hay ningún controlador «%(name)s» en este Python", name=name)
        ) from None
    for engine in database.engines:
        comment_statements(engine)
    if url.get_backend_name() == "sqlite" and url.database and not url.database.startswith((":memory:", "file:")):
        _keep_to_owner(Path(url.database))
    return database


def _keep_to_owner(file: Path) -> None:
    """Make a database file, new or not, readable by its owner only; SQLite creates its other files with the same mode."""
    # An error while creating the file is reported when the database is connected.
    with suppress(OSError):
        os.close(os.open(file, os.O_RDONLY | os.O_CREAT, OWNER_ONLY))
    for suffix in ("", "-wal", "-shm", "-journal"):
        _restrict(file.with_name(file.name + suffix), OWNER_ONLY)


def _restrict(path: Path, mode: int) -> None:
    """Remove the permissions of other users, unless another user owns the file."""
    with suppress(OSError):
        if stat.S_IMODE(path.stat().st_mode) & ~mode:
            path.chmod(mode)


def open_inventory(sessions: SessionSource, hooks: PluginManager) -> Inventory:
    """Create an ``Inventory`` whose hooks are those of the same plugins."""
    plugins = [plugin for _, plugin in hooks.list_name_plugin() if plugin is not None]
    # Pluggy calls the last plugin first; reverse the order, so that columns of exports follow the order of the plugins.
    return Inventory(sessions, build_plugin_manager(reversed(plugins)))


def secret_keys(settings: Settings) -> tuple[str, ...]:
    """Return the key that signs and, while keys are changed, the other accepted key. Raises as ``secret_key`` does."""
    old = settings.secret_key_old.get_secret_value()
    return (secret_key(settings), old) if old else (secret_key(settings),)


def secret_key(settings: Settings) -> str:
    """Return the key of the settings or, in development, a generated one that is stored (0600) next to the SQLite file.

    Raises ``SettingsRefused`` if a key is required and ``StorageRefused`` if it cannot be stored.
    """
    configured = settings.secret_key.get_secret_value()
    if configured:
        return configured
    url = database_url(settings)
    if url.get_backend_name() != "sqlite":
        raise SettingsRefused(
            gettext("INVENTORY_SECRET_KEY es obligatoria si la base de datos no es SQLite; la misma en cada instancia")
        )
    if url.database in (None, "", ":memory:"):
        return secrets.token_urlsafe(48)
    return _kept_key(Path(url.database or "").absolute().parent / SECRET_FILE)


def _kept_key(path: Path) -> str:
    try:
        _restrict(path, OWNER_ONLY)
        key = path.read_text("ascii").strip() if path.exists() else _made_key(path)
    except (OSError, UnicodeDecodeError) as error:
        raise StorageRefused(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if not key:
        raise StorageRefused(f"{path}: the file is empty; delete it and start again")
    return key


def _made_key(path: Path) -> str:
    """Write a new key so that two processes that start at the same time read the same one."""
    made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(made, path)
    finally:
        made.unlink()
    return path.read_text("ascii").strip()
