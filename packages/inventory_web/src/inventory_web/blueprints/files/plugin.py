"""The plugins of imports and exports."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_web.blueprints.files import exports
from inventory_web.blueprints.files.imports import create_blueprint
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.roles import Role
from inventory_web.settings import Settings


class ExportsPlugin:
    """Registers the pages and the job type; the list links to them."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        blueprint = Blueprint("exports", __name__, template_folder="templates")
        exports.add_routes(blueprint)
        return [blueprint]


class ImportsPlugin:
    """Registers the pages and the job types."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [create_blueprint()]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Importar"), "imports.new", "upload", order=50, role=Role.OPERATOR, more=True)]
