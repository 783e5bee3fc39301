"""The built-in areas, and the plugin manager of one application."""

from collections.abc import Iterable, Sequence
from typing import cast

import structlog
from flask import Blueprint, Flask
from pluggy import PluginManager

from inventory_web.areas.accounts import AccountsArea
from inventory_web.areas.audit import AuditArea
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
from inventory_web.areas.work import WorkArea
from inventory_web.errors import ViewWithoutRole
from inventory_web.hookspecs import WebHooks
from inventory_web.roles import is_marked
from inventory_web.settings import Settings

log = structlog.get_logger(__name__)

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
    WorkArea,
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


def build_plugin_manager(settings: Settings, plugins: Iterable[object] = ()) -> PluginManager:
    """Build a manager with the built-in areas, these plugins, and those of the entry point group ``inventory_web``.

    Raises ``pluggy.PluginValidationError`` if an implementation does not fit its hook or names a hook that does not exist.
    """
    manager = PluginManager("inventory_web")
    manager.add_hookspecs(WebHooks)
    for area in AREAS:
        manager.register(area(settings))
    if settings.reason_required:
        manager.register(RequiredReason())
    for plugin in plugins:
        manager.register(plugin)
    manager.load_setuptools_entrypoints("inventory_web")
    manager.check_pending()
    return manager


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


def leave_out_installed(hooks: PluginManager, error: ViewWithoutRole) -> None:
    """Unregister the plugin at fault if it was found installed, and log why; raise ``error`` if a program handed it over."""
    plugin = hooks.get_plugin(error.plugin)
    if not any(plugin is installed for installed, _ in hooks.list_plugin_distinfo()):
        raise error
    log.error("plugin_left_out", plugin=error.plugin, code=error.code, error=str(error))
    hooks.unregister(plugin)
