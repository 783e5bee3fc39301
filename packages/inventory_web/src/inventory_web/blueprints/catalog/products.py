"""The pages of products: the list, details, and the forms that register, edit, retire and restore one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_core import (
    MAX_CODE_LENGTH,
    WITHOUT_CATEGORY,
    DuplicateCode,
    EditConflict,
    Fault,
    InvalidInput,
    LocationNotFound,
    ProductDetails,
    ProductDraft,
    ProductRow,
    Status,
    edit_product,
    parse_quantity,
    register_product,
)
from inventory_web.audit.log import Event, current_author, log_event
from inventory_web.blueprints.catalog.product_list import (
    ListQuery,
    found_text,
    read_list,
    selection_actions,
    table_rows,
)
from inventory_web.context import app_state, current_actor, current_inventory, current_operation, new_operation
from inventory_web.db.units_of_work import reads_once
from inventory_web.http.responses import VARY, see_other, wants_fragment
from inventory_web.i18n.error_messages import messages_by_field
from inventory_web.roles import Role, requires

OTHER = "Otra..."
"""The category option for a typed name: see ``other_category``."""

FIELDS = ("code", "name", "description", "category", "other_category", "quantity", "minimum", "location")
BLANK = dict.fromkeys(FIELDS, "") | {"quantity": "0", "minimum": "0"}


@dataclass(slots=True)
class ProductForm:
    """A form as it was typed (``values``), and the result.

    ``draft`` and ``quantity`` are valid if there are no ``faults``; ``errors`` has the messages by field.
    """

    values: dict[str, str]
    draft: ProductDraft
    quantity: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def location(self) -> str | None:
        """Return the location of the initial quantity; None is the default one."""
        return self.values["location"].strip() or None

    @property
    def errors(self) -> dict[str, list[str]]:
        """Return the messages by field."""
        return messages_by_field(self.faults)

    @classmethod
    def empty(cls, *, code: str = "") -> "ProductForm":
        """Return the form for a new product."""
        return cls(BLANK | {"code": code}, ProductDraft(code="", name=""))

    @classmethod
    def of(cls, row: ProductRow) -> "ProductForm":
        """Return the form for a stored product."""
        return cls(BLANK | stored_values(row), ProductDraft(code=row.code, name=row.name))

    @classmethod
    def read_new(cls, typed: Mapping[str, str]) -> "ProductForm":
        """Read a request for a new product; a missing field counts as empty, a missing number as 0."""
        return cls._read({name: typed.get(name, BLANK[name]) for name in FIELDS}, with_quantity=True)

    @classmethod
    def read_edit(cls, typed: Mapping[str, str], row: ProductRow) -> "ProductForm":
        """Read a request for a stored product; a missing field keeps its value."""
        stored = BLANK | stored_values(row)
        return cls._read({name: typed.get(name, stored[name]) for name in FIELDS}, with_quantity=False)

    @classmethod
    def _read(cls, values: dict[str, str], *, with_quantity: bool) -> "ProductForm":
        faults: list[Fault] = []
        quantity = _number("quantity", values, faults) if with_quantity else 0
        minimum = _number("minimum", values, faults)
        draft = ProductDraft(
            code=values["code"],
            name=values["name"],
            description=values["description"],
            category=_category(values, faults),
            minimum=minimum,
        )
        other = _is_other(values)
        found = draft.faults()
        faults += [_moved(fault, "other_category") if other and fault.field == "category" else fault for fault in found]
        return cls(values, draft, quantity, sorted(faults, key=lambda fault: FIELDS.index(fault.field)))


def stored_values(row: ProductRow) -> dict[str, str]:
    """Return the fields of a stored product for the form."""
    return {
        "code": row.code,
        "name": row.name,
        "description": row.description,
        "category": row.category or "",
        "minimum": str(row.minimum),
    }


def _number(name: str, values: dict[str, str], faults: list[Fault]) -> int:
    if name == "minimum" and not values[name].strip():
        return 0
    number, found = parse_quantity(name, values[name])
    faults.extend(found)
    return number or 0


def _is_other(values: dict[str, str]) -> bool:
    chosen = values["category"].strip()
    if chosen == OTHER:
        return True
    # Without a selected option, or with the option for a typed name, use the text of the second field.
    return bool(values["other_category"].strip()) and chosen.casefold().rstrip(".…") in ("", "otra", "other")


def _category(values: dict[str, str], faults: list[Fault]) -> str | None:
    if not _is_other(values):
        return values["category"].strip() or None
    typed = values["other_category"].strip()
    if not typed:
        faults.append(Fault("other_category", "required"))
    return typed or None


def _moved(fault: Fault, name: str) -> Fault:
    return Fault(name, fault.reason, fault.value, fault.limit)


products_blueprint = Blueprint("products", __name__, template_folder="templates")


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
            "categories": stock.categories(),
            "locations": stock.locations(),
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
    product = current_inventory().product(code)
    panels = sorted(
        (panel for panels in app_state().hooks.hook.product_panels(details=product) for panel in panels),
        key=lambda panel: panel.order,
    )
    return render_template("products/details.html", product=product, row=product.row, panels=panels)


@products_blueprint.get("/products/new")
@requires(Role.OPERATOR)
def new() -> Response:
    """Show an empty form, or one with the ``code`` of the URL."""
    return _form_page("products/new.html", ProductForm.empty(code=request.args.get("code", "")[:MAX_CODE_LENGTH]))


@products_blueprint.post("/products/new")
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


@products_blueprint.get("/products/<code:code>/edit")
@requires(Role.OPERATOR)
def edit(code: str) -> Response:
    """Show the form with the stored values."""
    product = current_inventory().product(code)
    return _form_page("products/edit.html", ProductForm.of(product.row), product=product)


@products_blueprint.post("/products/<code:code>/edit")
@requires(Role.OPERATOR)
def save(code: str) -> Response:
    """Save an edit: 303, 422 with every fault, or 409 with both values if another user saved meanwhile."""
    product = current_inventory().product(code)
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


@products_blueprint.post("/products/<code:code>/retire")
@requires(Role.OPERATOR)
def retire(code: str) -> Response:
    """Retire a product."""
    saved = current_inventory().retire(code=code, actor=current_actor(), operation=current_operation())
    log_event(current_inventory(), Event.PRODUCT_RETIRED, by=current_author(), subject=saved.code)
    flash(gettext("Producto «%(code)s» eliminado. Puede restaurarlo aquí mismo.", code=saved.code), "success")
    return see_other(url_for("products.details", code=saved.code))


@products_blueprint.post("/products/<code:code>/restore")
@requires(Role.OPERATOR)
def restore(code: str) -> Response:
    """Restore a product."""
    saved = current_inventory().restore(code=code, actor=current_actor(), operation=current_operation())
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
        categories=current_inventory().categories(),
        locations=current_inventory().locations(),
        other=OTHER,
        operation=new_operation(),
    )
    return make_response(page, status)


def _conflict(code: str, form: ProductForm) -> Response:
    """Show the typed and the stored value of each field; the next attempt is based on the present version."""
    product = current_inventory().product(code)
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
