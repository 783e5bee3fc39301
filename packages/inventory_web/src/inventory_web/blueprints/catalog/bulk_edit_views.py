"""The pages that confirm, make and undo a bulk edit."""

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_core import (
    MAX_SELECTED_PRODUCTS,
    WITHOUT_CATEGORY,
    InvalidInput,
    ProductsConflict,
    ProductsSaved,
    SelectedProduct,
    Selection,
    SelectionChanged,
    SetRetired,
    change_products,
    list_categories,
    selected_rows,
    too_many_selected,
    undo_products_change,
)
from inventory_web.audit.log import Event, current_author, log_event
from inventory_web.blueprints.catalog import bulk_edit_forms
from inventory_web.blueprints.catalog.bulk_edit_forms import OTHER, BulkEditForm
from inventory_web.blueprints.catalog.selection import read_selection, sent_fields
from inventory_web.context import current_actor, current_inventory, current_operation, new_operation
from inventory_web.http.error_pages import answer_for
from inventory_web.http.flash_messages import flash_with_undo
from inventory_web.http.htmx import see_other
from inventory_web.http.redirects import next_url
from inventory_web.i18n.error_messages import messages_by_field
from inventory_web.i18n.labels import products_text
from inventory_web.roles import Role, requires

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
        title=bulk_edit_forms.title(wanted.kind, number),
        button=bulk_edit_forms.button(wanted.kind, number),
        rows=found.rows,
        more=number - len(found.rows),
        number=number,
        fields=sent_fields(selection),
        values=wanted.values,
        errors=messages_by_field(wanted.faults),
        notice=notice,
        categories=list_categories(current_inventory()) if wanted.kind == "category" else (),
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
        products=[(product, bulk_edit_forms.present_text(product, wanted.change)) for product in conflict.products],
        wanted=bulk_edit_forms.value_text(wanted.change),
        without=sent_fields(Selection(tuple(rest))) if rest else [],
        without_button=bulk_edit_forms.button(wanted.kind, len(rest)),
        fresh=sent_fields(Selection(tuple(fresh))) if fresh and possible else [],
        fresh_button=bulk_edit_forms.button(wanted.kind, len(fresh)),
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
    text = bulk_edit_forms.done(wanted.change, saved.changed)
    flash_with_undo(text, address=url_for("selections.undo"), changed=saved.operation)


def _list_address() -> str:
    return next_url(url_for("products.inventory"))
