"""The page of the timeline, and its latest entries on the page of a product."""

from flask import Blueprint, render_template, request

from inventory_core import HistoryFilter, ProductDetails, operation_history
from inventory_web.blueprints.activity.labels import VERBS, change_lines, verb_colour, verb_text
from inventory_web.context import current_inventory
from inventory_web.http.pagination import read_cursor
from inventory_web.i18n.dates import day_start
from inventory_web.roles import Role, requires

LAST_LINES = 5
LONGEST_TYPED = 80

blueprint = Blueprint("timeline", __name__, template_folder="templates")
_WORDS = {"verb_text": verb_text, "verb_colour": verb_colour, "change_lines": change_lines}


@blueprint.get("/timeline")
@requires(Role.VIEWER)
def history() -> str:
    """Show operations, newest first: all, or those of the filter in the URL."""
    fields = {
        name: request.args.get(name, "").strip()[:LONGEST_TYPED] for name in ("code", "actor", "verb", "since", "until")
    }
    criteria = {name: value for name, value in fields.items() if value}
    wanted = HistoryFilter(
        fields["code"],
        fields["actor"],
        fields["verb"],
        day_start(fields, "since"),
        day_start(fields, "until", further=1),
    )
    after = read_cursor(request.args)
    page = operation_history(current_inventory(), wanted, after=after)
    return render_template(
        "timeline/history.html",
        page=page,
        fields=fields,
        criteria=criteria,
        first=after is None,
        verbs=VERBS,
        **_WORDS,
    )


def product_panel(product: ProductDetails) -> str:
    """Return the latest entries about one product, as HTML."""
    page = operation_history(current_inventory(), HistoryFilter(code=product.row.code), size=LAST_LINES)
    return render_template("timeline/panel.html", page=page, product=product, **_WORDS)
