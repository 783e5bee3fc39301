"""The built-in areas, and the plugin manager of one application."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import cast

from flask import Blueprint, Flask
from pluggy import PluginManager

from inventory_core import CORE_HOOKS, InstalledPlugin, load_installed_plugins, register_plugin, usable_plugins
from inventory_web.areas.counting import CountingArea
from inventory_web.areas.dashboard import DashboardArea
from inventory_web.areas.exports import ExportsArea
from inventory_web.areas.imports import ImportsArea
from inventory_web.areas.labels import LabelsArea
from inventory_web.areas.locations import LocationsArea
from inventory_web.areas.low_stock import LowStockArea
from inventory_web.areas.movements import MovementsArea, RequiredReason
from inventory_web.areas.products import ProductsArea
from inventory_web.areas.scanning import ScanningArea
from inventory_web.areas.selections import SelectionsArea
from inventory_web.areas.shortcuts import ShortcutsArea
from inventory_web.areas.status import StatusArea
from inventory_web.areas.stock_history import StockHistoryArea
from inventory_web.areas.system import SystemArea
from inventory_web.areas.timeline import TimelineArea
from inventory_web.areas.views import ViewsArea
from inventory_web.audit.plugin import AuditArea
from inventory_web.auth.plugin import AccountsArea
from inventory_web.auth.roles import is_marked
from inventory_web.errors import ViewWithoutRole
from inventory_web.hookspecs import WebHooks
from inventory_web.http.url_converters import CodeConverter
from inventory_web.jobs import runner
from inventory_web.jobs.views import JobsArea
from inventory_web.settings import Settings

AREAS = (
    ProductsArea,
    DashboardArea,
    CountingArea,
    ScanningArea,
    MovementsArea,
    StockHistoryArea,
    TimelineArea,
    LowStockArea,
    ImportsArea,
    ExportsArea,
    JobsArea,
    LabelsArea,
    LocationsArea,
    SelectionsArea,
    ViewsArea,
    AccountsArea,
    AuditArea,
    ShortcutsArea,
    StatusArea,
    SystemArea,
)
"""Each is made with the settings and registered like a plugin from outside."""


FAMILIES: Mapping[str, type] = {**CORE_HOOKS, "inventory_web": WebHooks}
"""The entry point groups for plugins, each with the class of its hooks."""


def build_plugin_manager(settings: Settings, plugins: Iterable[object] = ()) -> PluginManager:
    """Build a manager with the built-in areas, these plugins, and those that installed packages offer.

    An installed plugin that cannot be used is logged in one line and left out. Raises ``pluggy.PluginValidationError`` if one of
    ``plugins`` does not fit its hook or names a hook that does not exist.
    """
    manager = _manager_of(*(area(settings) for area in AREAS))
    if settings.reason_required:
        manager.register(RequiredReason())
    for plugin in (*plugins, *usable_plugins(load_plugins(settings))):
        register_plugin(manager, plugin)
    manager.check_pending()
    return manager


def load_plugins(settings: Settings) -> tuple[InstalledPlugin, ...]:
    """Load what installed packages offer in the groups ``inventory_core`` and ``inventory_web``, but for those switched off."""
    return load_installed_plugins(FAMILIES, off=settings.plugins_off, check=_SetupCheck(settings))


def register_blueprints(app: Flask, hooks: PluginManager) -> None:
    """Register the pages of every plugin. Raises ``ViewWithoutRole`` if a view does not say who may open it."""
    # In the order of pluggy: what was registered last comes first.
    for implementation in reversed(hooks.hook.blueprints.get_hookimpls()):
        before = set(app.view_functions)
        for blueprint in cast("Sequence[Blueprint]", implementation.function()):
            app.register_blueprint(blueprint)
        for endpoint in sorted(set(app.view_functions) - before):
            view = app.view_functions[endpoint]
            if not is_marked(view) and getattr(view, "__func__", None) is not Blueprint.send_static_file:
                raise ViewWithoutRole(implementation.plugin_name, endpoint)


class _SetupCheck:
    """Calls the hooks that ``create_app`` calls, so that a plugin that fails there is left out as a whole."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app: Flask | None = None

    def __call__(self, plugin: object) -> None:
        """Raise whatever the plugin raises, and ``ViewWithoutRole`` for a view that does not say who may open it."""
        manager = _manager_of(plugin)
        if manager.hook.blueprints.get_hookimpls():
            register_blueprints(self._built_in(), manager)
        manager.hook.menu_entries()
        manager.hook.product_columns()

    def _built_in(self) -> Flask:
        """An application that serves nobody, where the names of the built-in pages are taken."""
        if self._app is None:
            self._app = Flask("inventory_web", static_folder=None)
            self._app.url_map.converters["code"] = CodeConverter
            runner.init_app(self._app)
            areas = _manager_of(*(area(self._settings) for area in AREAS))
            for blueprint in chain.from_iterable(areas.hook.blueprints()):
                self._app.register_blueprint(Blueprint(blueprint.name, __name__))
        return self._app


def _manager_of(*plugins: object) -> PluginManager:
    manager = PluginManager("inventory_web")
    manager.add_hookspecs(WebHooks)
    for plugin in plugins:
        manager.register(plugin)
    return manager
