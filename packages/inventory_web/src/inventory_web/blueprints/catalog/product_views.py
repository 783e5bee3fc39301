"""The blueprint of the products, with the list and the product page."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from inventory_core import WITHOUT_CATEGORY, Status, get_product, list_categories, list_locations
from inventory_web.blueprints.catalog import product_editing
from inventory_web.blueprints.catalog.list_query import ListQuery, found_text, read_list
from inventory_web.blueprints.catalog.product_table import table_rows
from inventory_web.blueprints.catalog.selection import selection_actions
from inventory_web.context import app_state, current_inventory
from inventory_web.db.units_of_work import reads_once
from inventory_web.http.htmx import VARY, wants_fragment
from inventory_web.roles import Role, requires

products_blueprint = Blueprint("products", __name__, template_folder="templates")
product_editing.add_routes(products_blueprint)


@products_blueprint.get("/inventory")
@requires(Role.VIEWER)
@reads_once
def inventory() -> Response:
    """Show the list: the whole page, or for htmx the results alone."""
    query = ListQuery.read(request.args)
    stock = current_inventory()
    page = read_list(stock, query)
    values: dict[str, object] = {
        "query": query,
        "page": page,
        "items": table_rows(page.rows),
        "found": found_text(page),
        "columns": app_state().product_columns,
        "actions": selection_actions(retired=query.products.status == Status.RETIRED),
    }
    if wants_fragment():
        response = make_response(render_template("products/results.html", **values))
        arguments = query.args(after=query.after)
        header = "HX-Replace-Url" if _continues_search(arguments) else "HX-Push-Url"
        response.headers[header] = url_for("products.inventory", **arguments)
    else:
        values |= {
            "categories": list_categories(stock),
            "locations": list_locations(stock),
            "without_category": WITHOUT_CATEGORY,
        }
        response = make_response(render_template("products/inventory.html", **values))
    response.vary.update(VARY)
    return response


def _continues_search(arguments: dict[str, Any]) -> bool:
    """Return whether the request only continues the search word in the browser's URL: one history entry."""
    shown = urlsplit(request.headers.get("HX-Current-URL", ""))
    before = dict(parse_qsl(shown.query))
    old, new = before.pop("search", ""), str(arguments.get("search", ""))
    others = {name: value for name, value in arguments.items() if name != "search"}
    if shown.path != url_for("products.inventory") or before != others:
        return False
    return bool(old and new) and (old.startswith(new) or new.startswith(old))


@products_blueprint.get("/products/<code:code>")
@requires(Role.VIEWER)
@reads_once
def details(code: str) -> str:
    """Show one product, with the panels of all plugins."""
    product = get_product(current_inventory(), code)
    panels = sorted(
        (panel for panels in app_state().hooks.hook.product_panels(details=product) for panel in panels),
        key=lambda panel: panel.order,
    )
    return render_template("products/details.html", product=product, row=product.row, panels=panels)
