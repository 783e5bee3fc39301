"""The dashboard: key figures and charts."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_web.blueprints.dashboard.views import blueprint
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.settings import Settings


class DashboardPlugin:
    """Registers the page."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Panel"), "dashboard.overview", "graph-up", order=20)]
