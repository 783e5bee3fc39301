"""Authentication: check passwords, and begin, find, list and end sessions."""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core import Inventory, InventoryError, code_key, normalize_line
from inventory_web.audit.log import Author, Event, add_event
from inventory_web.auth import throttling
from inventory_web.auth.users import hash_password, is_outdated, matches
from inventory_web.context import CurrentUser
from inventory_web.db.models import SecondFactor, User, UserSession
from inventory_web.db.replicas import may_be_behind, reader_of_source
from inventory_web.db.stored_changes import bookkeeping
from inventory_web.errors import ClusterRefused, ConfirmedChangeLost, TooManyLogins
from inventory_web.http.logs import get_logger
from inventory_web.i18n.labels import MAX_AGENT_CHARACTERS
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
    tokens: list[str | None] = []

    def begin(session: Session, known: VerifiedLogin) -> None:
        author = Author(known.name, address)
        tokens.append(add_session(session, known, now=inventory.clock(), by=author, idle=idle))

    check_password(inventory, name=name, password=password, by=Author(address=address), begin=begin)
    return tokens[-1] if tokens else None


def check_password(
    inventory: Inventory,
    *,
    name: str,
    password: str,
    by: Author,
    device: str = "",
    begin: Callable[[Session, VerifiedLogin], None] | None = None,
) -> VerifiedLogin | None:
    """Return the account if the password is correct and the account is not disabled; otherwise audit the failure and return None.

    One transaction counts the attempt, stores its outcome, and calls ``begin`` if the password is correct and no second factor
    follows. The slow comparison of the password comes before it and holds no lock.

    If a second factor follows, the attempt stays counted until that is correct too. ``device``: see ``throttling``. If an
    address fails very often, only some failures are audited. Raises ``TooManyLogins``, whether or not the password is correct.
    """
    attempt = throttling.Attempt(typed_key(name), by.address, by, device=device)
    user, confirmed_at = _read_user(inventory, attempt)
    known = rehashed = None
    if matches(user.password_hash if user else None, password) and user is not None and user.disabled_at is None:
        rehashed = hash_password(password) if is_outdated(user.password_hash) else None
        proof = session_fingerprint(rehashed or user.password_hash, user.logged_in_at if confirmed_at else None)
        known = VerifiedLogin(user.id or 0, user.name, proof, confirmed_at is not None)

    def work(session: Session, of_address: int) -> VerifiedLogin | None:
        if user is None or known is None:
            _audit_failure(session, inventory.clock(), by, name, of_address)
            return None
        if rehashed is not None:
            same = col(User.id) == user.id, col(User.password_hash) == user.password_hash
            session.execute(update(User).where(*same).values(password_hash=rehashed))
        if known.second_factor:
            throttling.release_password(session, attempt)
        else:
            throttling.release(session, attempt)
            if begin is not None:
                begin(session, known)
        return known

    begins = begin is not None and known is not None and not known.second_factor
    with nullcontext() if begins else bookkeeping():
        return throttling.run_counted(inventory, attempt, work)


def _read_user(inventory: Inventory, attempt: throttling.Attempt) -> tuple[User | None, datetime | None]:
    """Return the account, and when its second factor was confirmed. Raises ``TooManyLogins`` before any slow comparison."""
    confirmed_at = col(SecondFactor.confirmed_at)
    query = select(User, confirmed_at).outerjoin(SecondFactor).where(col(User.name_key) == attempt.name_key)
    try:
        # A password that was just changed, or an account that was just disabled, counts immediately.
        with reader_of_source(inventory.sessions) as session:
            throttling.require_allowed(session, attempt)
            found = session.execute(query).one_or_none()
            session.expunge_all()
    except TooManyLogins:
        throttling.audit_refusal(inventory, attempt)
        raise
    return (None, None) if found is None else (found[0], found[1])


def _audit_failure(session: Session, at: datetime, by: Author, name: str, attempts: int) -> None:
    if attempts <= throttling.BUSY_ADDRESS or attempts % AUDITED_OF_BUSY_ADDRESS == 0:
        many = attempts if attempts > throttling.BUSY_ADDRESS else None
        subject = normalize_line(name)[:MAX_NAME_CHARACTERS]
        add_event(session, at, Event.LOGIN_FAILED, by=by, subject=subject, attempts=many)


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


def add_session(
    session: Session,
    known: VerifiedLogin,
    *,
    now: datetime,
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
    query = select(User).where(col(User.id) == known.id, col(User.disabled_at).is_(None)).with_for_update()
    user = session.scalars(query).one_or_none()
    if user is None:
        return None
    if session_fingerprint(user.password_hash, user.logged_in_at if known.second_factor else None) != known.proof:
        return None
    token, agent = secrets.token_urlsafe(32), agent[:MAX_AGENT_CHARACTERS]
    values = {"id": session_id(token), "user_id": known.id, "created_at": now, "seen_at": now}
    values |= {"address": by.address[:64], "agent": agent, "kept": kept}
    session.execute(delete(UserSession).where(col(UserSession.seen_at) < now - idle))
    session.execute(delete(UserSession).where(col(UserSession.created_at) < now - longest))
    session.execute(insert(UserSession).values(values))
    session.execute(update(User).where(col(User.id) == known.id).values(logged_in_at=now))
    add_event(session, now, Event.LOGIN, by=by, subject=known.name, agent=agent)
    return token


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
