"""The sessions of one user: list and end them. Each function is one unit of work."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core import Inventory
from inventory_web.audit.log import Author, Event, add_event
from inventory_web.auth.authentication import MAX_SESSION_AGE
from inventory_web.context import CurrentUser
from inventory_web.db.models import UserSession

MAX_SHOWN = 100


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that has not ended. ``agent``: user agent of its browser; ``seen_at`` is accurate to a few minutes."""

    id: str
    agent: str
    address: str
    created_at: datetime
    seen_at: datetime
    here: bool


def sessions_of(
    inventory: Inventory, account: CurrentUser, *, idle: timedelta, longest: timedelta = MAX_SESSION_AGE
) -> tuple[OpenSession, ...]:
    """Return the sessions of the account: this one first, then by latest activity; at most a hundred."""
    query = (
        select(UserSession)
        .where(col(UserSession.user_id) == account.id, col(UserSession.seen_at) >= inventory.clock() - idle)
        .where(col(UserSession.created_at) >= inventory.clock() - longest)
        .order_by(col(UserSession.seen_at).desc(), col(UserSession.id))
        .limit(MAX_SHOWN)
    )
    with inventory.sessions.reader() as session:
        found = [
            OpenSession(row.id, row.agent, row.address, row.created_at, row.seen_at, row.id == account.session_id)
            for row in session.scalars(query)
        ]
    return tuple(sorted(found, key=lambda each: not each.here))


def end_session(inventory: Inventory, account: CurrentUser, session_id: str, *, by: Author) -> bool:
    """End one of the account's own sessions; return False if there is none with this id."""
    return _end(inventory, by, col(UserSession.user_id) == account.id, col(UserSession.id) == session_id) > 0


def end_others(inventory: Inventory, account: CurrentUser, *, by: Author) -> int:
    """End every session of the account except that of this request; return how many."""
    return _end(inventory, by, col(UserSession.user_id) == account.id, col(UserSession.id) != account.session_id)


def kept_form(inventory: Inventory, account: CurrentUser) -> str | None:
    """Return the form that was typed before this login; None if there is none."""
    query = select(col(UserSession.kept)).where(col(UserSession.id) == account.session_id)
    with inventory.sessions.reader() as session:
        return session.scalars(query).one_or_none()


def drop_kept_form(inventory: Inventory, account: CurrentUser) -> None:
    """Discard the form that was typed before this login."""
    statement = update(UserSession).where(col(UserSession.id) == account.session_id).values(kept=None)
    inventory.sessions.write(lambda session: session.execute(statement).close())


def _end(inventory: Inventory, by: Author, *those: object) -> int:
    def work(session: Session) -> int:
        ended = session.execute(delete(UserSession).where(*those))  # type: ignore[arg-type]
        number = int(ended.rowcount)  # type: ignore[attr-defined]
        if number:
            add_event(session, inventory.clock(), Event.SESSION_ENDED, by=by, subject=by.name, sessions=number)
        return number

    return inventory.sessions.write(work)
