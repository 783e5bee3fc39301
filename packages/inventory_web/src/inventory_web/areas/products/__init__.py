"""The list of products, and one product: register, edit, details, retire and restore."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import gettext, lazy_gettext

from inventory_core import ExportColumn, ProductRow
from inventory_core import hookimpl as core_hookimpl
from inventory_web.areas.products.views import blueprint
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.i18n.labels import status_text
from inventory_web.settings import Settings


class ProductsArea:
    """Registers the pages, their line of the menu, and the column "Estado" of exports."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Inventario"), "products.inventory", "boxes", order=10)]

    @core_hookimpl
    def export_columns(self) -> Sequence[ExportColumn]:
        return [ExportColumn(gettext("Estado"), _status, width=12)]


def _status(row: ProductRow) -> str:
    return status_text(row.status)
