"""The panel with the chart of a quantity and its data."""

from flask import Blueprint, render_template
from flask_babel import format_date, get_locale, gettext
from markupsafe import Markup

from inventory_core import ProductDetails, QuantityHistory, quantity_history
from inventory_web.charts.levels import Level, levels
from inventory_web.context import current_inventory
from inventory_web.i18n.labels import format_number

# Without routes; provides the template of the panel.
quantity_history_blueprint = Blueprint("stock_history", __name__, template_folder="templates")


def history_panel(product: ProductDetails) -> str:
    """Return the panel of one product as HTML."""
    history = quantity_history(current_inventory(), product.row.code)
    return render_template("stock_history/panel.html", history=history, drawing=_drawn(history))


def _drawn(history: QuantityHistory) -> Markup:
    length = (history.end - history.begin).total_seconds() or 1.0
    steps = history.quantities
    description = gettext(
        "De %(first)s a %(last)s unidades; como mínimo %(least)s y como máximo %(most)s.",
        first=format_number(steps[0].quantity),
        last=format_number(steps[-1].quantity),
        least=format_number(min(step.quantity for step in steps)),
        most=format_number(max(step.quantity for step in steps)),
    )
    return levels(
        "history",
        gettext("Cantidad a lo largo del tiempo"),
        description,
        [Level((step.since - history.begin).total_seconds() / length, step.quantity) for step in steps],
        (_day(history), gettext("ahora")),
        format_number,
    )


def _day(history: QuantityHistory) -> str:
    locale = get_locale()
    return str(format_date(history.begin, "d MMM" if locale is None or locale.language != "en" else "MMM d"))
