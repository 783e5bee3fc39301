"""The context of every operation and query: sessions, plugins and a clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pluggy import PluginManager

from inventory_core.database.sessions import SessionSource
from inventory_core.database.table_names import keep_prefix
from inventory_core.plugins import build_plugin_manager


def utc_now() -> datetime:
    """Return the current time, aware, in UTC, with microseconds."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class InventoryContext:
    """The sessions, the plugins and the clock of an inventory; ``Inventory`` adds the methods.

    Frozen and stateless; share one in a process or create one per call.
    """

    sessions: SessionSource
    plugins: PluginManager = field(default_factory=build_plugin_manager)
    clock: Callable[[], datetime] = utc_now

    def __post_init__(self) -> None:
        keep_prefix()
