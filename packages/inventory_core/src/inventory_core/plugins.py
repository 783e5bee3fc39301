"""The plugin manager of one inventory: built by a function, never shared by a module."""

from collections.abc import Iterable

from pluggy import PluginManager

from inventory_core.hookspecs import CoreHooks


def build_plugin_manager(plugins: Iterable[object] = (), *, entry_points: bool = False) -> PluginManager:
    """Build a manager with these plugins and, if ``entry_points``, those that installed packages offer.

    Packages offer plugins in the entry point group ``inventory_core``. Raises ``pluggy.PluginValidationError`` if an
    implementation does not fit its hook or names a hook that does not exist.
    """
    manager = PluginManager("inventory_core")
    manager.add_hookspecs(CoreHooks)
    for plugin in plugins:
        manager.register(plugin)
    if entry_points:
        manager.load_setuptools_entrypoints("inventory_core")
    manager.check_pending()
    return manager
