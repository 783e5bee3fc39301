"""The hooks: two of the core, one for exports, and all of the web."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup

from inventory_core import ExportColumn, ProductDetails, ProposedChange, StockChanged
from inventory_core import hookimpl as core_hookimpl
from inventory_web.context import current_inventory, current_user
from inventory_web.hookspecs import MenuEntry, ProductColumn, ProductPanel, hookimpl
from inventory_web.roles import Role, public, requires

LARGEST_ISSUE = 100


class ReservationsPlugin:
    """Records its calls, for tests."""

    def __init__(self) -> None:
        self.seen: list[StockChanged] = []

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        blueprint = Blueprint("reservations", __name__, url_prefix="/reservations")
        blueprint.add_url_rule("/", view_func=overview)
        blueprint.add_url_rule("/hello", view_func=hello)
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [
            MenuEntry(
                lazy_gettext("Reservas"),
                "reservations.overview",
                icon="tag",
                order=35,
                role=Role.OPERATOR,
                badge=lambda: "3",
            )
        ]

    @hookimpl
    def product_columns(self) -> Sequence[ProductColumn]:
        return [ProductColumn(lazy_gettext("Reservado"), lambda row: f"<{row.code}>", order=5)]

    @hookimpl
    def product_panels(self, details: ProductDetails) -> Sequence[ProductPanel]:
        return [ProductPanel(Markup('<section class="card" id="reserved">{}</section>').format(details.row.code))]

    @core_hookimpl
    def check_stock_change(self, change: ProposedChange) -> str | None:
        if change.quantity >= -LARGEST_ISSUE:
            return None
        return gettext("Más de cien unidades solo se reservan.")

    @core_hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        self.seen.append(event)

    @core_hookimpl
    def export_columns(self) -> Sequence[ExportColumn]:
        return [ExportColumn(gettext("Reservado"), lambda row: row.total // 2)]


@requires(Role.OPERATOR)
def overview() -> str:
    """A page that uses the inventory of the current application."""
    account = current_user()
    with current_inventory().sessions.reader():
        return f"Reservas de {account.name if account else ''}"


@public
def hello() -> str:
    """A page without login."""
    return "hola"
