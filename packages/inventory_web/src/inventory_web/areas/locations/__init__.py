"""The places that hold stock."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_web.areas.locations.views import blueprint
from inventory_web.auth.roles import Role
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.settings import Settings


class LocationsArea:
    """Registers the page."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [
            MenuEntry(
                lazy_gettext("Ubicaciones"), "locations.places", "geo-alt", order=60, role=Role.OPERATOR, more=True
            )
        ]
