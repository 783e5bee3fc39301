"""Change many products at once: ask before, change them, and undo it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from inventory_core import (
    MAX_SELECTED_PRODUCTS,
    WITHOUT_CATEGORY,
    BulkEdit,
    ChangedProduct,
    Fault,
    InvalidInput,
    ProductsConflict,
    ProductsSaved,
    SelectedProduct,
    Selection,
    SelectionChanged,
    SetCategory,
    SetMinimum,
    SetRetired,
    Status,
    change_products,
    parse_quantity,
    selected_rows,
    too_many_selected,
    undo_products_change,
)
from inventory_web.audit.log import Event, current_author, log_event
from inventory_web.blueprints.catalog.product_list import read_selection, sent_fields
from inventory_web.context import current_actor, current_inventory, current_operation, new_operation
from inventory_web.http.error_pages import answer_for
from inventory_web.http.responses import flash_with_undo, see_other
from inventory_web.http.urls import next_url
from inventory_web.i18n.error_messages import messages_by_field
from inventory_web.i18n.labels import format_number, products_text, status_text
from inventory_web.roles import Role, requires

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


SHOWN = 10

selections_blueprint = Blueprint("selections", __name__, template_folder="templates", url_prefix="/selection")


@selections_blueprint.post("/category")
@requires(Role.OPERATOR)
def category() -> Response:
    """Show the form for the category of the selected products."""
    return _ask("category")


@selections_blueprint.post("/minimum")
@requires(Role.OPERATOR)
def minimum() -> Response:
    """Show the form for their minimum."""
    return _ask("minimum")


@selections_blueprint.post("/retire")
@requires(Role.OPERATOR)
def retire() -> Response:
    """Show the confirmation for retiring them."""
    return _ask("retire")


@selections_blueprint.post("/restore")
@requires(Role.OPERATOR)
def restore() -> Response:
    """Show the confirmation for restoring them."""
    return _ask("restore")


@selections_blueprint.post("/<any(category, minimum, retire, restore):kind>/change")
@requires(Role.OPERATOR)
def change(kind: str) -> Response:
    """Change all of them: 303, 422 with the fault next to its field, or 409 with the products that changed meanwhile."""
    selection = read_selection()
    wanted = BulkEditForm.read(kind, request.form)
    if wanted.faults:
        return _page(selection, wanted, status=422)
    try:
        saved = change_products(
            current_inventory(),
            selection=selection,
            change=wanted.change,
            actor=current_actor(),
            operation=current_operation(),
        )
    except ProductsConflict as conflict:
        return _conflict(selection, wanted, conflict)
    except SelectionChanged as changed:
        now = Selection(filter=selection.filter, expected_count=changed.current)
        return _page(now, wanted, status=409, notice=answer_for(changed).message)
    _audit(saved)
    _tell(wanted, saved)
    return see_other(_list_address())


@selections_blueprint.post("/undo")
@requires(Role.OPERATOR)
def undo() -> Response:
    """Restore the former value of each product."""
    undone = undo_products_change(
        current_inventory(),
        changed_operation=request.form.get("changed", ""),
        actor=current_actor(),
        operation=current_operation(),
    )
    _audit(undone)
    flash(gettext("Deshecho: %(products)s como antes.", products=products_text(undone.changed)), "success")
    return see_other(_list_address())


def _ask(kind: str) -> Response:
    try:
        selection = read_selection()
    except InvalidInput as error:
        if error.faults[0].reason != "required":
            raise
        flash(gettext("Marque antes los productos, o todos los encontrados."), "warning")
        return see_other(_list_address())
    return _page(selection, BulkEditForm(kind, {}, BulkEditForm.read(kind, {}).change))


def _page(selection: Selection, wanted: BulkEditForm, *, status: int = 200, notice: str = "") -> Response:
    """Show the products and their new value."""
    found = selected_rows(current_inventory(), selection, size=SHOWN)
    if found.count.more:
        raise too_many_selected(MAX_SELECTED_PRODUCTS + 1)
    number = found.count.number
    if selection.filter is not None:
        selection = Selection(filter=selection.filter, expected_count=number)
    page = render_template(
        "selections/confirm.html",
        kind=wanted.kind,
        title=title(wanted.kind, number),
        button=button(wanted.kind, number),
        rows=found.rows,
        more=number - len(found.rows),
        number=number,
        fields=sent_fields(selection),
        values=wanted.values,
        errors=messages_by_field(wanted.faults),
        notice=notice,
        categories=current_inventory().categories() if wanted.kind == "category" else (),
        other=OTHER,
        without_category=WITHOUT_CATEGORY,
        operation=new_operation(),
        next=_list_address(),
    )
    return make_response(page, status)


def _conflict(selection: Selection, wanted: BulkEditForm, conflict: ProductsConflict) -> Response:
    """Show the products that changed meanwhile, and offer to continue without them, or with their present version."""
    now = {product.id: product.current_version for product in conflict.products}
    rest = [product for product in selection.products if product.id not in now]
    possible = isinstance(wanted.change, SetRetired) or not any(product.retired for product in conflict.products)
    fresh = [
        SelectedProduct(product.id, now.get(product.id, product.expected_version)) for product in selection.products
    ]
    page = render_template(
        "selections/conflict.html",
        kind=wanted.kind,
        products=[(product, present_text(product, wanted.change)) for product in conflict.products],
        wanted=value_text(wanted.change),
        without=sent_fields(Selection(tuple(rest))) if rest else [],
        without_button=button(wanted.kind, len(rest)),
        fresh=sent_fields(Selection(tuple(fresh))) if fresh and possible else [],
        fresh_button=button(wanted.kind, len(fresh)),
        values=wanted.values,
        next=_list_address(),
    )
    return make_response(page, 409)


def _audit(saved: ProductsSaved) -> None:
    if saved.retired is not None and saved.changed:
        event = Event.PRODUCT_RETIRED if saved.retired else Event.PRODUCT_RESTORED
        log_event(current_inventory(), event, by=current_author(), subject=saved.operation, products=saved.changed)


def _tell(wanted: BulkEditForm, saved: ProductsSaved) -> None:
    if not saved.changed:
        flash(gettext("Los productos ya estaban así: no ha cambiado nada."), "info")
        return
    text = done(wanted.change, saved.changed)
    flash_with_undo(text, address=url_for("selections.undo"), changed=saved.operation)


def _list_address() -> str:
    return next_url(url_for("products.inventory"))
