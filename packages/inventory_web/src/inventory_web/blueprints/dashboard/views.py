"""The dashboard: the stock at a glance, with key figures and charts."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from flask_babel import lazy_gettext

from inventory_core import WITHOUT_CATEGORY, lowest_stock, movements_by_day, products_running_out, stock_by_category
from inventory_web.blueprints.dashboard import charts
from inventory_web.blueprints.dashboard.charts import shelves, totals
from inventory_web.context import current_inventory, current_settings
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.roles import Role, requires
from inventory_web.settings import Settings

PERIODS = (30, 90)

blueprint = Blueprint("dashboard", __name__, template_folder="templates")


@blueprint.get("/dashboard")
@requires(Role.VIEWER)
def overview() -> str:
    """Show key figures, stock by category, movements of the last ``days``, products that run out first, and shortages."""
    inventory = current_inventory()
    requested = request.args.get("days", "")
    period = next((days for days in PERIODS if str(days) == requested), PERIODS[0])
    stocks = stock_by_category(inventory)
    return render_template(
        "dashboard/overview.html",
        pictures=charts,
        totals=totals(stocks),
        shelves=shelves(stocks),
        days=movements_by_day(inventory, days=period, timezone=ZoneInfo(current_settings().timezone)),
        running_out=products_running_out(inventory),
        lacking=lowest_stock(inventory),
        period=period,
        periods=PERIODS,
        without_category=WITHOUT_CATEGORY,
    )


class DashboardPlugin:
    """Registers the page."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Panel"), "dashboard.overview", "graph-up", order=20)]
