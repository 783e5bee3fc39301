"""Labels of operations."""

from collections.abc import Iterator

from flask_babel import gettext, lazy_gettext, ngettext

from inventory_core import HistoryEntry
from inventory_web.i18n.labels import field_label, format_number, products_text

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
    """Yield a line for each change of an operation, except quantities."""
    if entry.verb == "edit":
        yield from _edited(entry)
    elif entry.verb == "add_location":
        yield entry.subject
    elif entry.verb == "import":
        yield from _imported(entry)
    elif entry.verb in ("change_many", "undo_many"):
        yield from _changed_many(entry)


def _edited(entry: HistoryEntry) -> Iterator[str]:
    if entry.changes is None:
        return
    if not entry.changes:
        yield gettext("Sin cambios")
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
