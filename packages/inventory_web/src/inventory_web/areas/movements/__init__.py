"""The ledger: receive, issue and transfer stock, look back, and take back."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup

from inventory_core import ProductDetails, ProposedChange
from inventory_core import hookimpl as core_hookimpl
from inventory_web.areas.movements.views import blueprint, product_panel
from inventory_web.hookspecs import MenuEntry, ProductPanel, hookimpl
from inventory_web.settings import Settings

ASKS_FOR_REASON = frozenset({"receive", "issue", "undo"})


class MovementsArea:
    """Registers the pages."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Movimientos"), "movements.history", "clock-history", order=40)]

    @hookimpl
    def product_panels(self, details: ProductDetails) -> Sequence[ProductPanel]:
        panels = product_panel(details)
        return [ProductPanel(Markup(html), order) for html, order in panels]  # noqa: S704 - Jinja escaped every value


class RequiredReason:
    """Refuses changes without a reason; registered only if ``reason_required`` is set, since each row of an import calls it."""

    @core_hookimpl
    def check_stock_change(self, change: ProposedChange) -> str | None:
        if change.kind in ASKS_FOR_REASON and not change.reason:
            return gettext("Escriba el motivo: en este inventario es obligatorio.")
        return None
