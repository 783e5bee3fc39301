"""What every test relies on: capabilities of the machine, an environment of its own, and nothing left behind."""

import gc
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache

from inventory_core.database import engines
from tests import capabilities

# Commands follow the locale; their tests choose the language with INVENTORY_LANGUAGE.
os.environ["LC_ALL"] = os.environ["LANG"] = "C.UTF-8"

pytest_plugins = ["tests.replication.mysql.started_once", "tests.stack.started_once"]

REPOSITORY = Path(__file__).parents[1]
THREAD_GRACE_SECONDS = 5.0
OBJECTS_BETWEEN_COLLECTIONS = 50_000

settings.register_profile("thorough", deadline=None, print_blob=True)
settings.register_profile("brief", settings.get_profile("thorough"), max_examples=10, stateful_step_count=15)
settings.load_profile("brief")


def pytest_configure() -> None:
    """Refuse a misspelt requirement before anything runs, and let the tests' own processes be interrupted."""
    # A shell starts what it puts in the background deaf to SIGINT, and every child would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        capabilities.required()
    except ValueError as refusal:
        raise pytest.UsageError(str(refusal)) from refusal


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that this machine cannot run, unless it must be able to."""
    unable = [item for item in items if _lacks(item) - capabilities.required()]
    if unable:
        items[:] = [item for item in items if item not in unable]
        config.hook.pytest_deselected(items=unable)


def pytest_collection_finish() -> None:
    """Spare the garbage collector the collected tests, which stay until the end, and run it less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that was required and cannot run is a failure."""
    for capability in sorted(_lacks(item)):
        pytest.fail(
            f"{capabilities.REQUIRED_VARIABLE} names {capability}, but this machine lacks {capabilities.missing(capability)}",
            pytrace=False,
        )


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what will be left out, unless markers were chosen on the command line."""
    if config.option.markexpr:
        return []
    return [
        f"not run here: tests marked {marker}; they need {lack}"
        for marker, capability in capabilities.MARKERS.items()
        if (lack := capabilities.missing(capability))
    ]


def _lacks(item: pytest.Item) -> set[str]:
    needs = {capability for marker, capability in capabilities.MARKERS.items() if item.get_closest_marker(marker)}
    return {capability for capability in needs if capabilities.missing(capability)}


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees the settings or the data of the person who runs it."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("INVENTORY_") and "_TEST_" not in name]:
            patch.delenv(name)
        for name, folder in {"XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state"}.items():
            patch.setenv(name, str(home / folder))
        yield


@pytest.fixture(scope="session", autouse=True)
def _clean_repository() -> Iterator[None]:
    """Data files belong under `tmp_path`."""
    before = _data_files()
    yield
    left = sorted(str(path.relative_to(REPOSITORY)) for path in _data_files() - before)

    assert not left, f"tests left data files in the repository: {left}"


def _data_files() -> set[Path]:
    suffixes = {".db", ".db-shm", ".db-wal", ".sqlite", ".sqlite3", ".xlsx", ".log", ".tmp", ".pid", ".sock"}
    found: set[Path] = set()
    for folder, folders, files in os.walk(REPOSITORY):
        folders[:] = [
            name for name in folders if not name.startswith(".") and name not in {"__pycache__", "node_modules"}
        ]
        found.update(Path(folder, name) for name in files if Path(name).suffix in suffixes)
    return found


@pytest.fixture(scope="session", autouse=True)
def _sqlite_is_fast() -> Iterator[None]:
    """Compile each statement once for all engines of the process, and do not wait for the disk: no test cuts the power."""
    compiled: dict[type[engines.DeferredSQLite], LRUCache[object, object]] = {}

    def share_compiled(dialect: type[engines.DeferredSQLite], engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=compiled.setdefault(dialect, LRUCache(2000)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "SQLITE_SYNCHRONOUS", "OFF")
        patch.setattr(engines.DeferredSQLite, "engine_created", classmethod(share_compiled))
        # The key of a compiled statement contains its dialect. Those of one class are set up alike.
        patch.setattr(engines.DeferredSQLite, "__eq__", lambda one, other: type(one) is type(other))
        patch.setattr(engines.DeferredSQLite, "__hash__", lambda one: hash(type(one)))
        yield


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """A thread that a test starts ends with it; one that needs a moment is waited for."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(THREAD_GRACE_SECONDS)

        assert not thread.is_alive(), f"the test left the thread {thread.name!r} running"
