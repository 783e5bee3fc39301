"""What must be bought: the page, and one line in the log when a product falls below its minimum."""

from collections.abc import Sequence

import structlog
from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_core.events import StockChanged
from inventory_core.hookspecs import hookimpl as core_hookimpl
from inventory_web.areas.low_stock.views import blueprint, how_many
from inventory_web.hookspecs import MenuEntry, ProductColumn, hookimpl
from inventory_web.settings import Settings

log = structlog.get_logger(__name__)


class LowStockArea:
    """Registers the page and listens for the change with which a product becomes low."""

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

    @core_hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        if event.fell_below_minimum:
            log.warning(
                "low_stock",
                code=event.code,
                name=event.name,
                quantity=event.total,
                minimum=event.minimum,
                actor=event.actor,
            )
