"""A live picture of what serves the pages: balancer, instances, source and replicas."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_web.areas.system.views import blueprint
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.settings import Settings


class SystemArea:
    """Registers the page."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Sistema"), "system.picture", "hdd-network", order=95, more=True)]
