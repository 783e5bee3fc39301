"""Saved views: filters of the list under a name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, abort, flash, make_response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlmodel import col
from werkzeug.wrappers import Response

from inventory_core import (
    WITHOUT_CATEGORY,
    DriverErrorKind,
    Fault,
    Inventory,
    Status,
    classify_driver_error,
    normalize_line,
    sort_key,
    text_faults,
)
from inventory_web.blueprints.catalog.product_list import DEFAULT_SORT, ListQuery
from inventory_web.context import CurrentUser, current_inventory, current_user, may
from inventory_web.db.models import SavedView, User, metadata
from inventory_web.http.responses import VARY, see_other, wants_fragment
from inventory_web.i18n.error_messages import messages_by_field
from inventory_web.i18n.labels import field_label, status_text
from inventory_web.roles import Role, requires

LONGEST_NAME = 80
MOST_VIEWS = 100
"""The maximum number of views per account."""

_USER = metadata.tables[str(User.__tablename__)]
_COLUMNS = (
    col(SavedView.id),
    col(SavedView.owner_id),
    _USER.c.name,
    col(SavedView.name),
    col(SavedView.shared),
    col(SavedView.opens_first),
    col(SavedView.query),
    col(SavedView.version),
)
_VIEWS = select(*_COLUMNS).join(_USER, _USER.c.id == col(SavedView.owner_id))


@dataclass(frozen=True, slots=True)
class ViewRow:
    """A saved view in lists; ``owner`` is the name of its account."""

    id: int
    owner_id: int
    owner: str
    name: str
    shared: bool
    opens_first: bool
    query: str
    version: int

    @property
    def list_query(self) -> ListQuery:
        """Return the filter and the order."""
        return ListQuery.read(dict(parse_qsl(self.query)))


@dataclass(frozen=True, slots=True)
class Draft:
    """The editable values of a view. ``query`` is that of the list, without the page."""

    name: str
    shared: bool
    opens_first: bool
    query: str

    @classmethod
    def of(cls, name: str, list_query: ListQuery, *, shared: bool, opens_first: bool) -> "Draft":
        """Return a draft with a normalized name, for the filter and the order of ``list_query``."""
        return cls(normalize_line(name), shared, opens_first, urlencode(list_query.args()))

    @property
    def key(self) -> str:
        """Return the key that makes names unique: without case and accents, unless nothing else remains."""
        return sort_key(self.name) or self.name

    def faults(self) -> list[Fault]:
        """Return the faults of the name."""
        return text_faults("view_name", self.name, longest=LONGEST_NAME, required=True)


class ViewChanged(Exception):
    """Another user changed the view since it was shown."""


def list_views(inventory: Inventory, account_id: int) -> tuple[ViewRow, ...]:
    """Return the views of an account, followed by the shared views of others; each sorted by name."""
    own = col(SavedView.owner_id) == account_id
    query = _VIEWS.where(or_(own, col(SavedView.shared).is_(True))).order_by(own.desc(), col(SavedView.name_key))
    with inventory.sessions.reader() as session:
        return tuple(ViewRow(*record) for record in session.execute(query))


def find_view(inventory: Inventory, view_id: int, account_id: int, *, everybodys: bool = False) -> ViewRow | None:
    """Return a view that the account may see; with ``everybodys`` also private views of others."""
    query = _VIEWS.where(col(SavedView.id) == view_id)
    with inventory.sessions.reader() as session:
        record = session.execute(query).first()
    view = ViewRow(*record) if record else None
    return view if view and (view.shared or view.owner_id == account_id or everybodys) else None


def first_view(inventory: Inventory, account_id: int) -> ViewRow | None:
    """Return the view that this account starts with."""
    query = _VIEWS.where(col(SavedView.owner_id) == account_id, col(SavedView.opens_first).is_(True))
    with inventory.sessions.reader() as session:
        record = session.execute(query).first()
    return ViewRow(*record) if record else None


def save_view(inventory: Inventory, draft: Draft, account_id: int) -> list[Fault]:
    """Store a view, or return its faults; the same view again changes nothing."""
    if faults := draft.faults():
        return faults
    now = inventory.clock()

    def work(session: Session) -> list[Fault]:
        kept = session.scalar(select(func.count()).where(col(SavedView.owner_id) == account_id)) or 0
        if kept >= MOST_VIEWS:
            return [Fault("view_name", "too_many", str(kept), MOST_VIEWS)]
        session.execute(
            insert(SavedView).values(owner_id=account_id, version=1, created_at=now, changed_at=now, **_values(draft))
        )
        _open_only(session, draft, account_id)
        return []

    try:
        return inventory.sessions.write(work)
    except DBAPIError as error:
        if classify_driver_error(error) is not DriverErrorKind.DUPLICATE:
            raise
    same = [view for view in list_views(inventory, account_id) if view.owner_id == account_id and _is(view, draft)]
    return [] if same else [Fault("view_name", "duplicate", draft.name)]


def change_view(inventory: Inventory, view: ViewRow, draft: Draft, seen_version: int) -> list[Fault]:
    """Change a view to the draft, or return the faults. Raises ``ViewChanged`` unless its version is ``seen_version``."""
    if faults := draft.faults():
        return faults

    def work(session: Session) -> None:
        changed = session.execute(
            update(SavedView)
            .where(col(SavedView.id) == view.id, col(SavedView.version) == seen_version)
            .values(version=seen_version + 1, changed_at=inventory.clock(), **_values(draft))
        )
        if changed.rowcount != 1:  # type: ignore[attr-defined]
            raise ViewChanged
        _open_only(session, draft, view.owner_id)

    try:
        inventory.sessions.write(work)
    except DBAPIError as error:
        if classify_driver_error(error) is not DriverErrorKind.DUPLICATE:
            raise
        return [Fault("view_name", "duplicate", draft.name)]
    return []


def forget_view(inventory: Inventory, view_id: int) -> None:
    """Delete a view; does nothing if it does not exist."""
    inventory.sessions.write(lambda session: session.execute(delete(SavedView).where(col(SavedView.id) == view_id)))


def _values(draft: Draft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "name_key": draft.key,
        "shared": draft.shared,
        "opens_first": draft.opens_first,
        "query": draft.query,
    }


def _open_only(session: Session, draft: Draft, account_id: int) -> None:
    """Ensure that no other view of the account opens first, if this one does."""
    if draft.opens_first:
        own = col(SavedView.owner_id) == account_id
        others = own & (col(SavedView.name_key) != draft.key) & col(SavedView.opens_first).is_(True)
        session.execute(update(SavedView).where(others).values(opens_first=False))


def _is(view: ViewRow, draft: Draft) -> bool:
    return (view.name, view.shared, view.query) == (draft.name, draft.shared, draft.query)


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


@saved_views_blueprint.post("/<int(max=9223372036854775807):view_id>/delete", endpoint="delete")
@requires(Role.VIEWER)
def delete_view(view_id: int) -> Response:
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
