"""Opens the inventory of a command."""

import getpass
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from inventory_core import Inventory, SingleDatabase
from inventory_web.cli.language import command_language
from inventory_web.db.bootstrap import open_inventory, open_server
from inventory_web.db.schema import require_current
from inventory_web.http.logs import configure_logging
from inventory_web.i18n.catalogues import folders_of
from inventory_web.i18n.languages import translation_context
from inventory_web.plugins import build_plugin_manager
from inventory_web.settings import Settings


@contextmanager
def open_database(settings: Settings) -> Iterator[SingleDatabase]:
    """Open the database of the settings, or the source of replicated ones, and close it at the end."""
    settings.require_safe()
    sessions = open_server(settings)
    try:
        yield sessions
    finally:
        sessions.close()


@contextmanager
def inventory_session(settings: Settings) -> Iterator[Inventory]:
    """Open an inventory whose schema is current; SIGTERM ends the command as Ctrl-C does.

    Raises ``SchemaNotCurrent``.
    """
    configure_logging("warning" if settings.log_level == "info" else settings.log_level)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with open_database(settings) as sessions:
            require_current(sessions.engine)
            inventory = open_inventory(sessions, build_plugin_manager(settings))
            with translation_context(command_language(), folders_of(inventory.plugins.get_plugins())):
                yield inventory
    finally:
        signal.signal(signal.SIGTERM, before)


def system_actor() -> str:
    """Return the actor for movements: the name of the system's user."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = ""
    return f"{name[:60]}@inventory" if name else "inventory"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
