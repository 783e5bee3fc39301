"""The built-in plugins, and the plugin manager of one application."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import cast

from flask import Blueprint, Flask
from pluggy import PluginManager

from inventory_core import CORE_HOOKS, InstalledPlugin, load_installed_plugins, register_plugin, usable_plugins
from inventory_web.audit.views import AuditPlugin
from inventory_web.auth.plugin import AccountsPlugin
from inventory_web.blueprints.activity.timeline import ActivityPlugin
from inventory_web.blueprints.catalog.plugin import (
    BulkEditPlugin,
    LocationsPlugin,
    LowStockPlugin,
    ProductsPlugin,
    SavedViewsPlugin,
)
from inventory_web.blueprints.dashboard.views import DashboardPlugin
from inventory_web.blueprints.files.plugin import ExportsPlugin, ImportsPlugin
from inventory_web.blueprints.labels.views import LabelsPlugin
from inventory_web.blueprints.ops.plugin import HealthPlugin, TopologyPlugin
from inventory_web.blueprints.scanning.views import ScanningPlugin
from inventory_web.blueprints.shortcuts.plugin import ShortcutsPlugin
from inventory_web.blueprints.stock.plugin import (
    MovementsPlugin,
    QuickQuantityPlugin,
    RequiredReason,
    StockHistoryPlugin,
)
from inventory_web.errors import ViewWithoutRole
from inventory_web.hookspecs import WebHooks
from inventory_web.http.urls import CodeConverter
from inventory_web.jobs import runner
from inventory_web.jobs.views import JobsPlugin
from inventory_web.roles import is_marked
from inventory_web.settings import Settings

BUILT_IN_PLUGINS = (
    ProductsPlugin,
    DashboardPlugin,
    QuickQuantityPlugin,
    ScanningPlugin,
    MovementsPlugin,
    StockHistoryPlugin,
    ActivityPlugin,
    LowStockPlugin,
    ImportsPlugin,
    ExportsPlugin,
    JobsPlugin,
    LabelsPlugin,
    LocationsPlugin,
    BulkEditPlugin,
    SavedViewsPlugin,
    AccountsPlugin,
    AuditPlugin,
    ShortcutsPlugin,
    HealthPlugin,
    TopologyPlugin,
)
"""Each is created with the settings and registered like an external plugin."""


FAMILIES: Mapping[str, type] = {**CORE_HOOKS, "inventory_web": WebHooks}
"""The entry point groups of plugins, each with the class of its hooks."""


def build_plugin_manager(settings: Settings, plugins: Iterable[object] = ()) -> PluginManager:
    """Build a plugin manager with the built-in plugins, these plugins and those of installed packages.

    An installed plugin that cannot be used is logged in one line and skipped. Raises ``pluggy.PluginValidationError`` if one of
    ``plugins`` does not match its hook or names an unknown hook.
    """
    manager = _manager_of(*(plugin(settings) for plugin in BUILT_IN_PLUGINS))
    if settings.reason_required:
        manager.register(RequiredReason())
    for plugin in (*plugins, *usable_plugins(load_plugins(settings))):
        register_plugin(manager, plugin)
    manager.check_pending()
    return manager


def load_plugins(settings: Settings) -> tuple[InstalledPlugin, ...]:
    """Load the plugins of installed packages in the groups ``inventory_core`` and ``inventory_web``, except disabled ones."""
    return load_installed_plugins(FAMILIES, off=settings.plugins_off, check=_SetupCheck(settings))


def register_blueprints(app: Flask, hooks: PluginManager) -> None:
    """Register the pages of every plugin. Raises ``ViewWithoutRole`` if a view does not declare who may open it."""
    # Pluggy's order: the last one registered comes first.
    for implementation in reversed(hooks.hook.blueprints.get_hookimpls()):
        before = set(app.view_functions)
        for blueprint in cast("Sequence[Blueprint]", implementation.function()):
            app.register_blueprint(blueprint)
        for endpoint in sorted(set(app.view_functions) - before):
            view = app.view_functions[endpoint]
            if not is_marked(view) and getattr(view, "__func__", None) is not Blueprint.send_static_file:
                raise ViewWithoutRole(implementation.plugin_name, endpoint)


class _SetupCheck:
    """Calls the same hooks as ``create_app``, so that a plugin that fails there is skipped as a whole."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app: Flask | None = None

    def __call__(self, plugin: object) -> None:
        """Raise any error of the plugin, and ``ViewWithoutRole`` for a view that does not declare who may open it."""
        manager = _manager_of(plugin)
        if manager.hook.blueprints.get_hookimpls():
            register_blueprints(self._built_in(), manager)
        manager.hook.menu_entries()
        manager.hook.product_columns()

    def _built_in(self) -> Flask:
        """Return an application that serves no requests, with the endpoints of the built-in pages."""
        if self._app is None:
            self._app = Flask("inventory_web", static_folder=None)
            self._app.url_map.converters["code"] = CodeConverter
            runner.init_app(self._app)
            built_in = _manager_of(*(plugin(self._settings) for plugin in BUILT_IN_PLUGINS))
            for blueprint in chain.from_iterable(built_in.hook.blueprints()):
                self._app.register_blueprint(Blueprint(blueprint.name, __name__))
        return self._app


def _manager_of(*plugins: object) -> PluginManager:
    manager = PluginManager("inventory_web")
    manager.add_hookspecs(WebHooks)
    for plugin in plugins:
        manager.register(plugin)
    return manager
