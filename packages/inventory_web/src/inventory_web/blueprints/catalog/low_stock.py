"""The products below their minimum, and the units that each one lacks."""

from typing import Any

from flask import Blueprint, render_template, request

from inventory_core import Cursor, ProductFilter, Status, count_products
from inventory_web.blueprints.catalog.list_query import ListQuery, found_text, read_list
from inventory_web.context import current_inventory
from inventory_web.db.units_of_work import reads_once
from inventory_web.roles import Role, requires

LARGEST_BADGE = 99

low_stock_blueprint = Blueprint("low_stock", __name__, template_folder="templates")


@low_stock_blueprint.get("/low-stock")
@requires(Role.VIEWER)
@reads_once
def to_buy() -> str:
    """Show the shopping list."""
    query = ListQuery.read(request.args, status=Status.LOW_STOCK)
    page = read_list(current_inventory(), query)

    def page_args(after: Cursor | None = None) -> dict[str, Any]:
        arguments = query.args(after=after)
        return {name: value for name, value in arguments.items() if name != "status"}

    return render_template("low_stock/to_buy.html", page=page, query=query, page_args=page_args, found=found_text(page))


def how_many() -> str:
    """Return the badge of the menu entry; empty if nothing is low."""
    found = count_products(current_inventory(), ProductFilter(status=Status.LOW_STOCK), cap=LARGEST_BADGE)
    return f"{found.number}+" if found.more else str(found.number or "")
