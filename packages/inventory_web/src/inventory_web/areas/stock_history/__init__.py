"""How much there was of a product over the last weeks, on its page."""

from collections.abc import Sequence

from flask import Blueprint
from markupsafe import Markup

from inventory_core import ProductDetails
from inventory_web.areas.stock_history.panel import blueprint, history_panel
from inventory_web.hookspecs import ProductPanel, hookimpl
from inventory_web.settings import Settings


class StockHistoryArea:
    """Adds its panel to the page of a product."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def product_panels(self, details: ProductDetails) -> Sequence[ProductPanel]:
        return [ProductPanel(Markup(history_panel(details)), order=15)]  # noqa: S704 - Jinja escaped every value
