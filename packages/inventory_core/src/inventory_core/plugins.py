"""Define hooks and events, and load plugins."""

import inspect
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import metadata
from importlib.metadata import EntryPoint

from pluggy import HookimplMarker, HookspecMarker, PluginManager

from inventory_core.results import ProductRow

Cell = str | int | datetime | None

hookspec = HookspecMarker("inventory_core")
hookimpl = HookimplMarker("inventory_core")
"""Marks an implementation of one of these hooks."""
CORE_GROUP = "inventory_core"
MAX_ERROR_LENGTH = 300
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column of a plugin: its header, its value for a row, its width in characters.

    A value is a text, a whole number, an aware time (written as UTC) or None for an empty cell. An import leaves the
    column unused, so its header must not be one of those that an import reads; the export refuses such a header.
    """

    header: str
    value: Callable[[ProductRow], Cell]
    width: int = 16


@dataclass(frozen=True, slots=True)
class ProposedChange:
    """A change of one balance before it is written. ``quantity`` is signed; ``total`` is the product's present sum."""

    kind: str
    code: str
    location: str
    quantity: int
    total: int
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class StockChanged:
    """A committed change of one balance. ``total_before`` and ``total`` are the product's sums over all locations."""

    id: str
    kind: str
    code: str
    name: str
    location: str
    quantity: int
    total_before: int
    total: int
    minimum: int
    reason: str
    actor: str
    at: datetime

    @property
    def fell_below_minimum(self) -> bool:
        """Return True for the one change that made the product low on stock."""
        return self.total < self.minimum <= self.total_before


class CoreHooks:
    """The hooks; a plugin implements any of them with the same name and arguments."""

    @hookspec
    def check_stock_change(self, change: ProposedChange) -> str | None:
        """Return a text for the user to refuse a change of a quantity, or None to accept it.

        Called inside the transaction, before anything is written, and again if the unit of work is repeated: it must
        be pure and quick. Imports call it once for each row that changes a quantity.
        """

    @hookspec
    def after_stock_change(self, event: StockChanged) -> None:
        """Handle a committed change of a quantity.

        Called by a relay of the outbox, at least once for each change, outside of any transaction, and for each product in
        the order of its changes. The same event may come again, with the same ``event.id``. After an exception it comes again
        later, and after too many of them it becomes a dead letter.
        """

    @hookspec
    def export_columns(self) -> Sequence[ExportColumn]:
        """Return additional columns for the export of products; their values are computed from the exported row alone."""
        raise NotImplementedError


CORE_HOOKS: Mapping[str, type] = {CORE_GROUP: CoreHooks}


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """A plugin of an installed package, from one or more entry point groups.

    ``package`` is its distribution with the version, ``hooks`` are the names of the hooks that it implements. ``plugin`` is None
    if it is switched ``off`` or could not be used; then ``error`` is the reason in one line.
    """

    name: str
    package: str
    groups: tuple[str, ...]
    hooks: tuple[str, ...] = ()
    plugin: object | None = None
    off: bool = False
    error: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the same in JSON values, with ``state``: ``loaded``, ``off`` or ``failed``."""
        state = "off" if self.off else "failed" if self.error else "loaded"
        return {
            "name": self.name,
            "package": self.package,
            "groups": list(self.groups),
            "hooks": list(self.hooks),
            "state": state,
            "error": self.error,
        }


def build_plugin_manager(
    plugins: Iterable[object] = (),
    *,
    entry_points: bool = False,
    off: Collection[str] = (),
) -> PluginManager:
    """Build a manager with these plugins and, if ``entry_points``, those of installed packages.

    A plugin is an object, a module, or a class that is called without arguments. Packages register plugins in the entry point group
    ``inventory_core``; those in ``off`` are skipped, and one that cannot be used is logged and skipped. Raises
    ``pluggy.PluginValidationError`` if one of ``plugins`` does not match its hook or names an unknown hook.
    """
    manager = PluginManager(CORE_GROUP)
    manager.add_hookspecs(CoreHooks)
    found = load_installed_plugins(CORE_HOOKS, off=off) if entry_points else ()
    for plugin in (*plugins, *usable_plugins(found)):
        register_plugin(manager, plugin)
    manager.check_pending()
    return manager


def register_plugin(manager: PluginManager, plugin: object) -> None:
    """Register an object, a module, or a new instance of a class, unless it is already registered."""
    made = make_plugin(plugin)
    if not manager.is_registered(made):
        manager.register(made)


def usable_plugins(installed: Sequence[InstalledPlugin]) -> tuple[object, ...]:
    """Return the loaded plugins; log a line for each one that failed."""
    for plugin in installed:
        if plugin.error:
            _LOG.warning("the plugin %s of %s is left out: %s", plugin.name, plugin.package, plugin.error)
    return tuple(each.plugin for each in installed if each.plugin is not None)


def make_plugin(plugin: object) -> object:
    """Return the plugin itself, or a new instance if it is a class."""
    return plugin() if inspect.isclass(plugin) else plugin


def load_installed_plugins(
    families: Mapping[str, type], *, off: Collection[str] = (), check: Callable[[object], None] = lambda _: None
) -> tuple[InstalledPlugin, ...]:
    """Load the plugins of these entry point groups, each group with the class of its hooks; in the order of their names.

    A plugin that is registered more than once is loaded once. Those in ``off`` are not imported. One that cannot be imported or
    created, whose hooks do not match, or for which ``check`` raises, has ``error``.
    """
    found: dict[object, InstalledPlugin] = {}
    targets: dict[str, object] = {}
    entry_points = metadata.entry_points()
    for group in families:
        for entry in entry_points.select(group=group):
            plugin = InstalledPlugin(entry.name, _package(entry), (group,), off=entry.name in off)
            key: object = entry.value
            if not plugin.off:
                try:
                    target = targets.get(entry.value) or targets.setdefault(entry.value, entry.load())
                    key = id(target)
                    if key not in found:
                        plugin = _prepare(plugin, target, families, check)
                except (Exception, SystemExit) as error:  # noqa: BLE001 - it is code of others
                    plugin = replace(plugin, error=_one_line(error))
            known = found.get(key)
            groups = (*known.groups, group) if known is not None and group not in known.groups else (group,)
            found[key] = plugin if known is None else replace(known, groups=groups)
    return tuple(sorted(found.values(), key=lambda plugin: (plugin.name, plugin.package)))


def _prepare(
    plugin: InstalledPlugin, target: object, families: Mapping[str, type], check: Callable[[object], None]
) -> InstalledPlugin:
    made = make_plugin(target)
    hooks = tuple(name for family, kind in families.items() for name in _implemented(made, family, kind))
    check(made)
    return replace(plugin, plugin=made, hooks=hooks)


def _implemented(plugin: object, family: str, kind: type) -> list[str]:
    """Return the hooks of a family that a plugin implements. Raises ``pluggy.PluginValidationError`` if one does not match."""
    manager = PluginManager(family)
    manager.add_hookspecs(kind)
    manager.register(plugin)
    manager.check_pending()
    return sorted(caller.name for caller in manager.get_hookcallers(plugin) or ())


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else ""


def _one_line(error: BaseException) -> str:
    code = getattr(error, "code", None)
    named = f"{code} {type(error).__name__}" if isinstance(code, str) else type(error).__name__
    return " ".join(f"{named}: {error}".split())[:MAX_ERROR_LENGTH]
