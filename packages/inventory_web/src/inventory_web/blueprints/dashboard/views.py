"""The dashboard page."""

from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request

from inventory_core import WITHOUT_CATEGORY, lowest_stock, movements_by_day, products_running_out, stock_by_category
from inventory_web.blueprints.dashboard import charts
from inventory_web.blueprints.dashboard.figures import shelves, totals
from inventory_web.context import current_inventory, current_settings
from inventory_web.roles import Role, requires

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
