"""Logins: password checks, and sessions from the login to their end."""

import hashlib
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core import Inventory, InventoryError, code_key, normalize_line
from inventory_web.audit.log import Author, Event, add_event, log_event
from inventory_web.auth import throttling
from inventory_web.auth.passwords import hash_password, is_outdated, matches
from inventory_web.context import CurrentUser
from inventory_web.db.models import SecondFactor, User, UserSession
from inventory_web.db.replicated import may_be_behind, reader_of_source
from inventory_web.db.stored_changes import bookkeeping
from inventory_web.errors import ClusterRefused, ConfirmedChangeLost
from inventory_web.http.logs import get_logger
from inventory_web.http.user_agents import MAX_AGENT_CHARACTERS
from inventory_web.roles import Role

MAX_SESSION_AGE = timedelta(days=7)
TOUCH_AFTER = timedelta(minutes=5)
MAX_NAME_CHARACTERS = 40
AUDITED_OF_BUSY_ADDRESS = 100
"""Audit one of this many failures."""
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class VerifiedLogin:
    """An account whose password was correct. ``second_factor``: a second step must follow.

    ``proof`` changes with the password and, if a second factor follows, with each login, so that a second step works only once.
    """

    id: int
    name: str
    proof: str
    second_factor: bool


def log_in(inventory: Inventory, *, name: str, password: str, address: str, idle: timedelta) -> str | None:
    """Check name and password and return the token of a new session, or None if they are wrong.

    Also returns None for an account with a second factor: its second step starts the session. Raises ``TooManyLogins``.
    """
    known = check_password(inventory, name=name, password=password, by=Author(address=address))
    if known is None or known.second_factor:
        return None
    return begin_session(inventory, known, by=Author(known.name, address), idle=idle)


def check_password(
    inventory: Inventory, *, name: str, password: str, by: Author, device: str = ""
) -> VerifiedLogin | None:
    """Return the account if the password is correct and the account is not disabled; otherwise audit the failure and return None.

    If a second factor follows, the attempt stays counted until that is correct too. ``device``: see ``throttling``. If an
    address fails very often, only some failures are audited. Raises ``TooManyLogins``.
    """
    key = typed_key(name)
    attempts = throttling.count_attempt(inventory, name_key=key, address=by.address, by=by, device=device)
    query = select(User, col(SecondFactor.confirmed_at)).outerjoin(SecondFactor).where(col(User.name_key) == key)
    # A password that was just changed, or an account that was just disabled, counts immediately.
    with reader_of_source(inventory.sessions) as session:
        found = session.execute(query).one_or_none()
        session.expunge_all()
    user, confirmed_at = found or (None, None)
    if not matches(user.password_hash if user else None, password) or user is None or user.disabled_at is not None:
        if attempts <= throttling.BUSY_ADDRESS or attempts % AUDITED_OF_BUSY_ADDRESS == 0:
            many = attempts if attempts > throttling.BUSY_ADDRESS else None
            log_event(
                inventory, Event.LOGIN_FAILED, by=by, subject=normalize_line(name)[:MAX_NAME_CHARACTERS], attempts=many
            )
        return None
    if is_outdated(user.password_hash):
        user.password_hash = _rehash(inventory, user, password)
    if confirmed_at is None:
        throttling.forgive(inventory, name_key=key, address=by.address, device=device)
    else:
        throttling.forgive_password(inventory, name_key=key, device=device)
    proof = session_fingerprint(user.password_hash, user.logged_in_at if confirmed_at else None)
    return VerifiedLogin(user.id or 0, user.name, proof, confirmed_at is not None)


def typed_key(name: str) -> str:
    """Normalize a typed name for comparison."""
    return code_key(normalize_line(name)[:200])


def confirm_password(inventory: Inventory, account: CurrentUser, *, password: str, by: Author) -> bool:
    """Return whether it is the password of the logged-in account; counts failures per session. Raises ``TooManyLogins``."""
    device = account.session_id
    known = check_password(inventory, name=account.name, password=password, by=by, device=device)
    if known is not None and known.second_factor:
        throttling.forgive(inventory, name_key=code_key(known.name), address=by.address, device=device)
    return known is not None


def begin_session(
    inventory: Inventory,
    known: VerifiedLogin,
    *,
    by: Author,
    idle: timedelta,
    longest: timedelta = MAX_SESSION_AGE,
    agent: str = "",
    kept: str | None = None,
) -> str | None:
    """Start a session and return its token; None if the account was disabled or its password changed meanwhile.

    Also returns None if ``known`` has a second factor and there was another login since the password check. ``agent`` is the
    user agent of the browser, ``kept`` a form to send after the login.
    """
    token = secrets.token_urlsafe(32)
    now = inventory.clock()
    values = {"id": session_id(token), "user_id": known.id, "created_at": now, "seen_at": now}
    values |= {"address": by.address[:64], "agent": agent[:MAX_AGENT_CHARACTERS], "kept": kept}

    def work(session: Session) -> bool:
        query = select(User).where(col(User.id) == known.id, col(User.disabled_at).is_(None)).with_for_update()
        user = session.scalars(query).one_or_none()
        if user is None:
            return False
        if session_fingerprint(user.password_hash, user.logged_in_at if known.second_factor else None) != known.proof:
            return False
        session.execute(delete(UserSession).where(col(UserSession.seen_at) < now - idle))
        session.execute(delete(UserSession).where(col(UserSession.created_at) < now - longest))
        session.execute(insert(UserSession).values(values))
        session.execute(update(User).where(col(User.id) == known.id).values(logged_in_at=now))
        add_event(session, now, Event.LOGIN, by=by, subject=known.name, agent=agent[:MAX_AGENT_CHARACTERS])
        return True

    return token if inventory.sessions.write(work) else None


def find_account(
    inventory: Inventory,
    token: str,
    *,
    idle: timedelta,
    longest: timedelta = MAX_SESSION_AGE,
    address: str,
    at_once: bool = False,
) -> CurrentUser | None:
    """Return the account of a token; None if its session ended, was idle for longer than ``idle`` or is older than ``longest``.

    Reads a replica, which may not know yet that the session was ended elsewhere. With ``at_once`` it reads the source if that is
    available.
    """
    now = inventory.clock()
    oldest = now - longest
    known = None
    if at_once and may_be_behind(inventory.sessions):
        try:
            known = _find(reader_of_source(inventory.sessions), token, now - idle, oldest)
        except ConfirmedChangeLost:
            # The error is reported only once and would be lost here.
            raise
        except ClusterRefused:
            known = _find(inventory.sessions.reader(), token, now - idle, oldest)
    else:
        known = _find(inventory.sessions.reader(), token, now - idle, oldest)
        if known is None and may_be_behind(inventory.sessions):
            # A replica that is behind must not end a session.
            known = _find(reader_of_source(inventory.sessions), token, now - idle, oldest)
    if known is None:
        return None
    account, seen_at = known
    if now - seen_at > TOUCH_AFTER:
        _touch(inventory, account.session_id, address)
    return account


def log_out(inventory: Inventory, token: str, *, by: Author) -> None:
    """End the session of this token."""

    def work(session: Session) -> None:
        ended = session.execute(delete(UserSession).where(col(UserSession.id) == session_id(token)))
        if ended.rowcount:  # type: ignore[attr-defined]
            add_event(session, inventory.clock(), Event.LOGOUT, by=by, subject=by.name)

    inventory.sessions.write(work)


def session_id(token: str) -> str:
    """Return the stored id of a token: a hash, so that a copy of the table cannot be used to log in."""
    return hashlib.sha256(token.encode()).hexdigest()


def session_fingerprint(password_hash: str, logged_in_at: datetime | None = None) -> str:
    """Return a short hash that changes with the password and with each login."""
    text = password_hash + (logged_in_at.isoformat() if logged_in_at else "")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _find(
    reader: AbstractContextManager[Session], token: str, since: datetime, oldest: datetime
) -> tuple[CurrentUser, datetime] | None:
    query = (
        select(
            col(User.id),
            col(User.name),
            col(User.role),
            col(User.provisional),
            col(User.language),
            col(User.theme),
            col(SecondFactor.confirmed_at),
            col(UserSession.seen_at),
        )
        .join(UserSession, col(UserSession.user_id) == col(User.id))
        .outerjoin(SecondFactor, col(SecondFactor.user_id) == col(User.id))
        .where(col(UserSession.id) == session_id(token), col(UserSession.seen_at) >= since)
        .where(col(UserSession.created_at) >= oldest)
        .where(col(User.disabled_at).is_(None))
    )
    with reader as session:
        found = session.execute(query).one_or_none()
    if found is None:
        return None
    number, name, role, provisional, language, theme, confirmed_at, seen_at = found
    account = CurrentUser(
        number or 0,
        name,
        Role.from_word(role),
        provisional,
        session_id(token),
        language,
        theme,
        second_factor=confirmed_at is not None,
    )
    return account, seen_at


def _rehash(inventory: Inventory, user: User, password: str) -> str:
    hashed = hash_password(password)
    same = col(User.id) == user.id, col(User.password_hash) == user.password_hash
    with bookkeeping():
        inventory.sessions.write(
            lambda session: session.execute(update(User).where(*same).values(password_hash=hashed))
        )
    return hashed


def _touch(inventory: Inventory, session_key: str, address: str) -> None:
    now = inventory.clock()
    statement = (
        update(UserSession)
        # Of simultaneous requests only one writes.
        .where(col(UserSession.id) == session_key, col(UserSession.seen_at) < now - TOUCH_AFTER)
        .values(seen_at=now, address=address[:64])
    )
    try:
        with bookkeeping():
            inventory.sessions.write(lambda session: session.execute(statement).close())
    except InventoryError as error:
        # A page that only reads works without the source.
        log.warning("session_not_touched", code=error.code)
