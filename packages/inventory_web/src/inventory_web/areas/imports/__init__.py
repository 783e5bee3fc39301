"""Products and stock from a file: upload, preview, progress, confirm, undo."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_web.areas.imports.views import blueprint
from inventory_web.auth.roles import Role
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.settings import Settings


class ImportsArea:
    """Registers the pages, and what a worker does for them."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint()]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Importar"), "imports.new", "upload", order=50, role=Role.OPERATOR, more=True)]
