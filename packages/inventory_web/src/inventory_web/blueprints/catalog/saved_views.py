"""Saved views: store, list, change and delete them. Each function is one unit of work."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core import (
    DriverErrorKind,
    Fault,
    Inventory,
    classify_driver_error,
    normalize_line,
    sort_key,
    text_faults,
)
from inventory_web.blueprints.catalog.list_query import ListQuery
from inventory_web.db.models import SavedView, User, metadata

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
