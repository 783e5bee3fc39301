"""The forms that register, edit, retire and restore a product."""

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_core import (
    MAX_CODE_LENGTH,
    DuplicateCode,
    EditConflict,
    Fault,
    InvalidInput,
    LocationNotFound,
    ProductDetails,
    edit_product,
    get_product,
    list_categories,
    list_locations,
    register_product,
    restore_product,
    retire_product,
)
from inventory_web.audit.log import Event, current_author, log_event
from inventory_web.blueprints.catalog.product_forms import OTHER, ProductForm, stored_values
from inventory_web.context import current_actor, current_inventory, current_operation, new_operation
from inventory_web.http.htmx import see_other
from inventory_web.roles import Role, requires


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes that change a product."""
    blueprint.add_url_rule("/products/new", view_func=new, methods=["GET"])
    blueprint.add_url_rule("/products/new", view_func=register, methods=["POST"])
    blueprint.add_url_rule("/products/<code:code>/edit", view_func=edit, methods=["GET"])
    blueprint.add_url_rule("/products/<code:code>/edit", view_func=save, methods=["POST"])
    blueprint.add_url_rule("/products/<code:code>/retire", view_func=retire, methods=["POST"])
    blueprint.add_url_rule("/products/<code:code>/restore", view_func=restore, methods=["POST"])


@requires(Role.OPERATOR)
def new() -> Response:
    """Show an empty form, or one with the ``code`` of the URL."""
    return _form_page("products/new.html", ProductForm.empty(code=request.args.get("code", "")[:MAX_CODE_LENGTH]))


@requires(Role.OPERATOR)
def register() -> Response:
    """Register a product: 303 to its page, or 422 with each fault next to its field."""
    form = ProductForm.read_new(request.form)
    if form.faults:
        return _form_page("products/new.html", form, status=422)
    try:
        saved = register_product(
            current_inventory(),
            draft=form.draft,
            quantity=form.quantity,
            location=form.location,
            actor=current_actor(),
            operation=current_operation(),
        )
    except DuplicateCode as error:
        form.faults.append(Fault("code", "duplicate", error.product_code))
    except LocationNotFound as error:
        form.faults.append(Fault("location", "unknown", error.location))
    except InvalidInput as error:
        form.faults.extend(error.faults)
    else:
        flash(gettext("Producto «%(code)s» registrado.", code=saved.code), "success")
        return see_other(url_for("products.details", code=saved.code))
    return _form_page("products/new.html", form, status=422)


@requires(Role.OPERATOR)
def edit(code: str) -> Response:
    """Show the form with the stored values."""
    product = get_product(current_inventory(), code)
    return _form_page("products/edit.html", ProductForm.of(product.row), product=product)


@requires(Role.OPERATOR)
def save(code: str) -> Response:
    """Save an edit: 303, 422 with every fault, or 409 with both values if another user saved meanwhile."""
    product = get_product(current_inventory(), code)
    form = ProductForm.read_edit(request.form, product.row)
    seen = request.form.get("version", "")
    seen_version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else product.row.version
    if form.faults:
        return _form_page("products/edit.html", form, product=product, version=seen_version, status=422)
    try:
        saved = edit_product(
            current_inventory(),
            code=code,
            draft=form.draft,
            expected_version=seen_version,
            actor=current_actor(),
            operation=current_operation(),
        )
    except EditConflict:
        return _conflict(code, form)
    except DuplicateCode as error:
        form.faults.append(Fault("code", "duplicate", error.product_code))
    except InvalidInput as error:
        form.faults.extend(error.faults)
    else:
        flash(gettext("Producto «%(code)s» guardado.", code=saved.code), "success")
        return see_other(url_for("products.details", code=saved.code))
    return _form_page("products/edit.html", form, product=product, version=seen_version, status=422)


@requires(Role.OPERATOR)
def retire(code: str) -> Response:
    """Retire a product."""
    saved = retire_product(current_inventory(), code=code, actor=current_actor(), operation=current_operation())
    log_event(current_inventory(), Event.PRODUCT_RETIRED, by=current_author(), subject=saved.code)
    flash(gettext("Producto «%(code)s» eliminado. Puede restaurarlo aquí mismo.", code=saved.code), "success")
    return see_other(url_for("products.details", code=saved.code))


@requires(Role.OPERATOR)
def restore(code: str) -> Response:
    """Restore a product."""
    saved = restore_product(current_inventory(), code=code, actor=current_actor(), operation=current_operation())
    log_event(current_inventory(), Event.PRODUCT_RESTORED, by=current_author(), subject=saved.code)
    flash(gettext("Producto «%(code)s» restaurado.", code=saved.code), "success")
    return see_other(url_for("products.details", code=saved.code))


def _form_page(
    template: str,
    form: ProductForm,
    *,
    product: ProductDetails | None = None,
    version: int | None = None,
    status: int = 200,
) -> Response:
    page = render_template(
        template,
        form=form,
        values=form.values,
        errors=form.errors,
        product=product,
        version=version or (product.row.version if product else None),
        categories=list_categories(current_inventory()),
        locations=list_locations(current_inventory()),
        other=OTHER,
        operation=new_operation(),
    )
    return make_response(page, status)


def _conflict(code: str, form: ProductForm) -> Response:
    """Show the typed and the stored value of each field; the next attempt is based on the present version."""
    product = get_product(current_inventory(), code)
    stored = stored_values(product.row)
    typed = typed_values(form)
    page = render_template(
        "products/conflict.html",
        product=product,
        typed=typed,
        stored=stored,
        differing=[name for name in stored if typed[name] != stored[name]],
        operation=new_operation(),
    )
    return make_response(page, 409)


def typed_values(form: ProductForm) -> dict[str, str]:
    """Return the values that an edit would have stored, in the form of ``stored_values``."""
    draft = form.draft
    return {
        "code": draft.code,
        "name": draft.name,
        "description": draft.description,
        "category": draft.category or "",
        "minimum": str(draft.minimum),
    }
