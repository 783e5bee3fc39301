"""What must be bought: the page, the number beside its menu entry, and a column of the list."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_web.areas.low_stock.views import blueprint, how_many
from inventory_web.hookspecs import MenuEntry, ProductColumn, hookimpl
from inventory_web.settings import Settings


class LowStockArea:
    """Registers the page, its menu entry and the column."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [
            MenuEntry(lazy_gettext("Por comprar"), "low_stock.to_buy", "exclamation-triangle", order=30, badge=how_many)
        ]

    @hookimpl
    def product_columns(self) -> Sequence[ProductColumn]:
        return [ProductColumn(lazy_gettext("Por comprar"), lambda row: row.to_buy or "")]
