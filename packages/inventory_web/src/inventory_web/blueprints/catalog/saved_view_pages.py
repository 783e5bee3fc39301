"""The pages of saved views of the list."""

from collections.abc import Iterator

from flask import Blueprint, abort, flash, make_response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_core import WITHOUT_CATEGORY, Fault, Status
from inventory_web.blueprints.catalog.list_query import DEFAULT_SORT, ListQuery
from inventory_web.blueprints.catalog.saved_views import (
    Draft,
    ViewChanged,
    ViewRow,
    change_view,
    find_view,
    first_view,
    forget_view,
    list_views,
    save_view,
)
from inventory_web.context import CurrentUser, current_inventory, current_user, may
from inventory_web.http.htmx import VARY, see_other, wants_fragment
from inventory_web.i18n.error_messages import messages_by_field
from inventory_web.i18n.labels import field_label, status_text
from inventory_web.roles import Role, requires


def described(query: ListQuery) -> str:
    """Return the filter for display, in the order of its fields."""
    return ", ".join(_parts(query)) or gettext("Todos los productos")


def _parts(query: ListQuery) -> Iterator[str]:
    products = query.products
    if products.search:
        yield f"«{products.search}»"
    if products.category == WITHOUT_CATEGORY:
        yield gettext("Sin categoría")
    elif products.category:
        yield products.category
    if products.status:
        yield status_text(Status(products.status))
    if products.location:
        yield products.location
    if query.sort != DEFAULT_SORT:
        column = query.sort.removeprefix("-")
        label = gettext("Último cambio") if column == "changed" else field_label(column)
        yield f"{label} {'↓' if query.sort.startswith('-') else '↑'}"


saved_views_blueprint = Blueprint("views", __name__, template_folder="templates", url_prefix="/views")
saved_views_blueprint.add_app_template_global(described, "described_filter")


def first_address() -> str | None:
    """Return the view that the user starts with; None: the whole list."""
    view = first_view(current_inventory(), _person().id)
    return address_of(view) if view else None


def address_of(view: ViewRow) -> str:
    """Redirect to the list with the filter of the view."""
    return url_for("products.inventory", **view.list_query.args())


@saved_views_blueprint.get("")
@requires(Role.VIEWER)
def saved() -> Response:
    """Show the user's views, and a form for the filter in the URL; for htmx only the dropdown of the list."""
    return _saved(ListQuery.read(request.args))


@saved_views_blueprint.post("")
@requires(Role.VIEWER)
def save() -> Response:
    """Store a filter under a name: 303 to the list, or 422 with the fault next to the name."""
    query = ListQuery.read(request.form)
    draft = _draft(query)
    faults = save_view(current_inventory(), draft, _person().id)
    if faults:
        return _saved(query, draft, faults)
    flash(gettext("Vista «%(name)s» guardada.", name=draft.name), "success")
    return see_other(url_for("products.inventory", **query.args()))


@saved_views_blueprint.get("/<int(max=9223372036854775807):view_id>/edit")
@requires(Role.VIEWER)
def edit(view_id: int) -> Response:
    """Show the form of a view; a filter in the URL replaces its own."""
    view = _own(view_id)
    return _edit_page(view, Draft(view.name, view.shared, view.opens_first, view.query), ListQuery.read(request.args))


@saved_views_blueprint.post("/<int(max=9223372036854775807):view_id>/edit")
@requires(Role.VIEWER)
def change(view_id: int) -> Response:
    """Change a view: 303, 422 with the fault next to the name, or 409 with the changes of another user."""
    view = _own(view_id)
    present = ListQuery.read(request.form)
    draft = _draft(present if request.form.get("replace") else view.list_query, view)
    seen = request.form.get("version", "")
    seen_version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else view.version
    try:
        faults = change_view(current_inventory(), view, draft, seen_version)
    except ViewChanged:
        return _edit_page(view, draft, present, status=409)
    if faults:
        return _edit_page(view, draft, present, faults, status=422)
    flash(gettext("Vista «%(name)s» guardada.", name=draft.name), "success")
    return see_other(url_for("views.saved"))


@saved_views_blueprint.post("/<int(max=9223372036854775807):view_id>/delete")
@requires(Role.VIEWER)
def delete(view_id: int) -> Response:
    """Delete a view; its products stay as they are."""
    view = find_view(current_inventory(), view_id, _person().id, everybodys=may(Role.ADMIN))
    if view is not None:
        _require_own(view)
        forget_view(current_inventory(), view.id)
        flash(gettext("Vista «%(name)s» borrada.", name=view.name), "success")
    return see_other(url_for("views.saved"))


def _saved(query: ListQuery, draft: Draft | None = None, faults: list[Fault] | None = None) -> Response:
    views = list_views(current_inventory(), _person().id)
    page = render_template(
        "views/menu.html" if wants_fragment() and draft is None else "views/saved.html",
        own=[view for view in views if view.owner_id == _person().id],
        others=[view for view in views if view.owner_id != _person().id],
        address_of=address_of,
        query=query,
        draft=draft or Draft("", shared=False, opens_first=False, query=""),
        errors=messages_by_field(faults or []),
    )
    response = make_response(page, 422 if faults else 200)
    response.vary.update(VARY)
    return response


def _edit_page(
    view: ViewRow, draft: Draft, present: ListQuery, faults: list[Fault] | None = None, *, status: int = 200
) -> Response:
    page = render_template(
        "views/edit.html",
        view=view,
        draft=draft,
        present=present,
        differs=present.args() != view.list_query.args() and bool(present.args()),
        mine=view.owner_id == _person().id,
        changed=status == 409,
        errors=messages_by_field(faults or []),
    )
    return make_response(page, status)


def _draft(query: ListQuery, view: ViewRow | None = None) -> Draft:
    """Return the typed values. Operators may share a view; its owner decides where it opens."""
    shared = bool(request.form.get("shared"))
    if not may(Role.OPERATOR):
        if shared and not (view and view.shared):
            abort(403)
        shared = view is not None and view.shared
    first = bool(request.form.get("opens_first"))
    if view is not None and view.owner_id != _person().id:
        first = view.opens_first
    return Draft.of(request.form.get("view_name", ""), query, shared=shared, opens_first=first)


def _own(view_id: int) -> ViewRow:
    """Return a view that the user may change."""
    view = find_view(current_inventory(), view_id, _person().id, everybodys=may(Role.ADMIN))
    if view is None:
        abort(404)
    _require_own(view)
    return view


def _require_own(view: ViewRow) -> None:
    if view.owner_id != _person().id and not may(Role.ADMIN):
        abort(403)


def _person() -> CurrentUser:
    account = current_user()
    if account is None:
        abort(403)
    return account
