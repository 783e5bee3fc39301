"""Scanning with a USB scanner or the camera of a phone: open, count or change a product by one."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_web.blueprints.scanning.views import blueprint
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.settings import Settings


class ScanningPlugin:
    """Registers the page; ``static/keyboard.js`` redirects to it when a scanner types on another page."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Escanear"), "scanning.scan", "upc-scan", order=20)]
