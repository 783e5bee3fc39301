"""The plugins of the catalogue: products, bulk edits, saved views, low stock and locations."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import gettext, lazy_gettext

from inventory_core import ExportColumn, ProductRow
from inventory_core import hookimpl as core_hookimpl
from inventory_web.blueprints.catalog.bulk_edit import selections_blueprint
from inventory_web.blueprints.catalog.locations import locations_blueprint
from inventory_web.blueprints.catalog.product_list import how_many, low_stock_blueprint
from inventory_web.blueprints.catalog.products import products_blueprint
from inventory_web.blueprints.catalog.saved_views import first_address, saved_views_blueprint
from inventory_web.hookspecs import MenuEntry, ProductColumn, SelectionAction, hookimpl
from inventory_web.i18n.labels import status_text
from inventory_web.roles import Role
from inventory_web.settings import Settings


class ProductsPlugin:
    """Registers the pages, their menu entry, and the column "Estado" of exports."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [products_blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Inventario"), "products.inventory", "boxes", order=10)]

    @core_hookimpl
    def export_columns(self) -> Sequence[ExportColumn]:
        return [ExportColumn(gettext("Estado"), _status, width=12)]


def _status(row: ProductRow) -> str:
    return status_text(row.status)


class BulkEditPlugin:
    """Registers the pages, and their buttons in the selection bar."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [selections_blueprint]

    @hookimpl
    def selection_actions(self) -> Sequence[SelectionAction]:
        operator = Role.OPERATOR
        return [
            SelectionAction(lazy_gettext("Categoría…"), "selections.category", "tag", 10, operator),
            SelectionAction(lazy_gettext("Mínimo…"), "selections.minimum", "funnel", 20, operator),
            SelectionAction(lazy_gettext("Eliminar…"), "selections.retire", "trash", 90, operator),
            SelectionAction(
                lazy_gettext("Restaurar…"), "selections.restore", "arrow-counterclockwise", 10, operator, retired=True
            ),
        ]


class SavedViewsPlugin:
    """Registers the pages, and opens the view that the user starts with."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [saved_views_blueprint]

    @hookimpl
    def first_page(self) -> str | None:
        return first_address()


class LowStockPlugin:
    """Registers the page, its menu entry and the column."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [low_stock_blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [
            MenuEntry(lazy_gettext("Por comprar"), "low_stock.to_buy", "exclamation-triangle", order=30, badge=how_many)
        ]

    @hookimpl
    def product_columns(self) -> Sequence[ProductColumn]:
        return [ProductColumn(lazy_gettext("Por comprar"), lambda row: row.to_buy or "")]


class LocationsPlugin:
    """Registers the page."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [locations_blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [
            MenuEntry(
                lazy_gettext("Ubicaciones"), "locations.places", "geo-alt", order=60, role=Role.OPERATOR, more=True
            )
        ]
