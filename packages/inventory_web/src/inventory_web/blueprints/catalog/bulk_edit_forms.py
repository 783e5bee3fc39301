"""The forms of bulk edits, and their texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask_babel import gettext, ngettext

from inventory_core import (
    WITHOUT_CATEGORY,
    BulkEdit,
    ChangedProduct,
    Fault,
    SetCategory,
    SetMinimum,
    SetRetired,
    Status,
    parse_quantity,
)
from inventory_web.i18n.labels import format_number, products_text, status_text

OTHER = "Otra..."
"""The category option for a typed name: see ``other_category``."""


@dataclass(frozen=True, slots=True)
class BulkEditForm:
    """A change as it was typed. ``change`` is valid if there are no ``faults``."""

    kind: str
    values: dict[str, str]
    change: BulkEdit
    faults: list[Fault] = field(default_factory=list)

    @classmethod
    def read(cls, kind: str, fields: Mapping[str, str]) -> "BulkEditForm":
        """Read the fields of ``kind``: ``category``, ``minimum``, ``retire`` or ``restore``; a missing field is empty."""
        if kind == "category":
            return _category(fields)
        if kind == "minimum":
            typed = fields.get("minimum", "")
            minimum, faults = parse_quantity("minimum", typed)
            return cls(kind, {"minimum": typed}, SetMinimum(minimum or 0), faults)
        return cls(kind, {}, SetRetired(kind == "retire"))


def _category(fields: Mapping[str, str]) -> BulkEditForm:
    values = {name: fields.get(name, "") for name in ("category", "other_category")}
    other = values["other_category"].strip()
    chosen = values["category"].strip()
    if chosen == WITHOUT_CATEGORY and not other:
        return BulkEditForm("category", values, SetCategory(None))
    if chosen != OTHER and not other:
        change = SetCategory(chosen)
        return BulkEditForm("category", values, change, change.faults() if chosen else [Fault("category", "required")])
    change = SetCategory(other)
    faults = [Fault("other_category", fault.reason, fault.value, fault.limit) for fault in change.faults()]
    return BulkEditForm("category", values, change, faults if other else [Fault("other_category", "required")])


def title(kind: str, count: int) -> str:
    """Return the heading of the form."""
    products = products_text(count)
    titles = {
        "category": gettext("Cambiar la categoría de %(products)s", products=products),
        "minimum": gettext("Cambiar el mínimo de %(products)s", products=products),
        "retire": gettext("Eliminar %(products)s", products=products),
        "restore": gettext("Restaurar %(products)s", products=products),
    }
    return titles[kind]


def button(kind: str, count: int) -> str:
    """Return the label of the submit button."""
    products = products_text(count)
    if kind == "retire":
        return gettext("Sí, eliminar %(products)s", products=products)
    if kind == "restore":
        return gettext("Restaurar %(products)s", products=products)
    return gettext("Cambiar %(products)s", products=products)


def done(change: BulkEdit, count: int) -> str:
    """Return the message after the change."""
    if not isinstance(change, SetRetired):
        return f"{products_text(count)}: {value_text(change)}."
    shown = format_number(count)
    if change.retired:
        return ngettext("%(number)s producto eliminado.", "%(number)s productos eliminados.", count, number=shown)
    return ngettext("%(number)s producto restaurado.", "%(number)s productos restaurados.", count, number=shown)


def value_text(change: BulkEdit) -> str:
    """Return the new value of every product."""
    if isinstance(change, SetCategory):
        return gettext("categoría «%(name)s»", name=change.category) if change.category else gettext("sin categoría")
    if isinstance(change, SetMinimum):
        return gettext("mínimo %(number)s", number=format_number(change.minimum))
    return status_text(Status.RETIRED) if change.retired else gettext("en uso")


def present_text(product: ChangedProduct, change: BulkEdit) -> str:
    """Return the present value of a product."""
    if product.retired:
        return status_text(Status.RETIRED)
    if isinstance(change, SetCategory):
        return value_text(SetCategory(product.category))
    if isinstance(change, SetMinimum):
        return value_text(SetMinimum(product.minimum))
    return gettext("en uso")
