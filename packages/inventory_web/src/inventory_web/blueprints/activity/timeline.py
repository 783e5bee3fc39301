"""The timeline: changes and movements, newest first."""

from collections.abc import Iterator, Sequence

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from markupsafe import Markup

from inventory_core import HistoryEntry, HistoryFilter, ProductDetails, RevisionKind, operation_history
from inventory_web.context import current_inventory
from inventory_web.hookspecs import MenuEntry, ProductPanel, hookimpl
from inventory_web.http.urls import read_cursor
from inventory_web.i18n.labels import field_label, format_number, products_text
from inventory_web.i18n.languages import day_start
from inventory_web.roles import Role, requires
from inventory_web.settings import Settings

VERBS = (
    "register", "edit", "retire", "restore", "receive", "issue", "transfer", "count", "undo", "import", "undo_import",
    "change_many", "undo_many", "add_location",
)  # fmt: skip
COLOURS = {
    "register": "green",
    "receive": "green",
    "restore": "green",
    "issue": "red",
    "retire": "red",
    "undo": "yellow",
    "undo_import": "yellow",
    "undo_many": "yellow",
    "import": "purple",
    "transfer": "blue",
}
KIND_VERBS = {
    RevisionKind.CREATED: "register",
    RevisionKind.RETIRED: "retire",
    RevisionKind.RESTORED: "restore",
}
"""The operation on one product that does the same as an operation on many did to it."""
VERB_LABELS = {
    "register": lazy_gettext("Registro"),
    "edit": lazy_gettext("Edición"),
    "retire": lazy_gettext("Eliminación"),
    "restore": lazy_gettext("Restauración"),
    "receive": lazy_gettext("Entrada"),
    "issue": lazy_gettext("Salida"),
    "transfer": lazy_gettext("Traslado"),
    "count": lazy_gettext("Recuento"),
    "undo": lazy_gettext("Anulación"),
    "import": lazy_gettext("Importación"),
    "undo_import": lazy_gettext("Importación deshecha"),
    "change_many": lazy_gettext("Cambio de varios"),
    "undo_many": lazy_gettext("Cambio de varios deshecho"),
    "add_location": lazy_gettext("Ubicación nueva"),
}


def verb_text(verb: str) -> str:
    """Return the label of the operation."""
    return str(VERB_LABELS.get(verb, verb))


def verb_colour(verb: str) -> str:
    """Return the colour name in the style sheet's classes."""
    return COLOURS.get(verb, "azure")


def change_lines(entry: HistoryEntry) -> Iterator[str]:
    """Yield a line for each change of an operation, except quantities.

    An operation on many products has the changes of one product only in the history of that product.
    """
    if entry.operation_type == "edit" and not entry.changes:
        yield gettext("Sin cambios")
    elif entry.operation_type == "add_location":
        yield entry.subject
    elif entry.operation_type == "import":
        yield from _imported(entry)
    elif entry.operation_type in ("change_many", "undo_many"):
        yield from _changed_many(entry)
    if entry.code is None and entry.kind in KIND_VERBS:
        yield verb_text(KIND_VERBS[entry.kind])
    for field, (former, new) in entry.changes.items():
        yield f"{field_label(field)}: {_value(former)} → {_value(new)}"


def _imported(entry: HistoryEntry) -> Iterator[str]:
    if "rows" not in entry.counts:
        return
    rows = entry.counts["rows"]
    yield ngettext("%(number)s fila", "%(number)s filas", rows, number=format_number(rows))
    counted = {
        "created": gettext("nuevos"),
        "updated": gettext("cambiados"),
        "stock_changes": gettext("cantidades cambiadas"),
        "retired": gettext("eliminados"),
        "restored": gettext("restaurados"),
    }
    parts = [f"{text}: {format_number(entry.counts[key])}" for key, text in counted.items() if entry.counts.get(key)]
    if parts:
        yield ", ".join(parts)


def _changed_many(entry: HistoryEntry) -> Iterator[str]:
    fields = {
        "category_id": field_label("category"),
        "minimum": field_label("minimum"),
        "retired_at": gettext("Eliminar o restaurar"),
    }
    count = products_text(entry.counts.get("changed", 0))
    yield f"{fields[entry.subject]}: {count}" if entry.subject in fields else count


def _value(value: object) -> str:
    if value is None or value == "":
        return "—"
    return format_number(value) if isinstance(value, int) else str(value)


LAST_LINES = 5
LONGEST_TYPED = 80

blueprint = Blueprint("timeline", __name__, template_folder="templates")
_WORDS = {"verb_text": verb_text, "verb_colour": verb_colour, "change_lines": change_lines}


@blueprint.app_template_global()
def timeline_address(code: str = "") -> str:
    """Return the address of the operations, or of those with one product; for other blueprints' templates."""
    return url_for("timeline.history", code=code or None)


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


class ActivityPlugin:
    """Registers the page and the panel."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Cronología"), "timeline.history", "clock-history", order=45, more=True)]

    @hookimpl
    def product_panels(self, details: ProductDetails) -> Sequence[ProductPanel]:
        return [ProductPanel(Markup(product_panel(details)), order=55)]  # noqa: S704 - Jinja escaped every value
