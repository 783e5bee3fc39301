"""The plugins of stock: quick quantities, movements and the history of a quantity."""

from collections.abc import Sequence

from flask import Blueprint, render_template
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup

from inventory_core import ProductDetails, ProposedChange
from inventory_core import hookimpl as core_hookimpl
from inventory_web.blueprints.stock.movements import movements_blueprint, product_panel
from inventory_web.blueprints.stock.quantity import history_panel, quantity_history_blueprint, quick_quantity_blueprint
from inventory_web.hookspecs import MenuEntry, ProductPanel, hookimpl
from inventory_web.settings import Settings


class QuickQuantityPlugin:
    """Registers the route of the form, and shows the balances on the page of a product."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [quick_quantity_blueprint]

    @hookimpl
    def product_panels(self, details: ProductDetails) -> Sequence[ProductPanel]:
        page = render_template("counting/panel.html", product=details)
        return [ProductPanel(Markup(page), order=10)]  # noqa: S704 - Jinja escaped every value


ASKS_FOR_REASON = frozenset({"receive", "issue", "undo"})


class MovementsPlugin:
    """Registers the pages."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [movements_blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Movimientos"), "movements.history", "clock-history", order=40)]

    @hookimpl
    def product_panels(self, details: ProductDetails) -> Sequence[ProductPanel]:
        panels = product_panel(details)
        return [ProductPanel(Markup(html), order) for html, order in panels]  # noqa: S704 - Jinja escaped every value


class RequiredReason:
    """Refuses changes without a reason; registered only if ``reason_required`` is set, because imports call it for each row."""

    @core_hookimpl
    def check_stock_change(self, change: ProposedChange) -> str | None:
        if change.kind in ASKS_FOR_REASON and not change.reason:
            return gettext("Escriba el motivo: en este inventario es obligatorio.")
        return None


class StockHistoryPlugin:
    """Adds its panel to the page of a product."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [quantity_history_blueprint]

    @hookimpl
    def product_panels(self, details: ProductDetails) -> Sequence[ProductPanel]:
        return [ProductPanel(Markup(history_panel(details)), order=15)]  # noqa: S704 - Jinja escaped every value
