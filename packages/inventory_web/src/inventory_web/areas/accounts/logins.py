"""Logins: checking a password, and the sessions that stand for it until they are ended."""

import hashlib
import secrets
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core.errors import InventoryError
from inventory_core.inventory import Inventory
from inventory_core.rules.codes import code_key
from inventory_core.rules.texts import one_line
from inventory_web.areas.accounts import throttling
from inventory_web.areas.accounts.passwords import hash_password, is_outdated, matches
from inventory_web.areas.accounts.tables import User, UserSession
from inventory_web.current import Account
from inventory_web.replicated_database import may_be_behind, reader_of_source
from inventory_web.roles import Role

TOUCH_AFTER = timedelta(minutes=5)
log = structlog.get_logger(__name__)


def log_in(inventory: Inventory, *, name: str, password: str, address: str, idle: timedelta) -> str | None:
    """Check name and password and give the token of a new session, or None if they do not fit.

    A disabled account answers like a wrong password. Raises ``TooManyLogins``.
    """
    user = _checked(inventory, name=name, password=password, address=address)
    if user is None or user.id is None:
        return None
    token = secrets.token_urlsafe(32)
    now = inventory.clock()
    values = {"id": session_id(token), "user_id": user.id, "created_at": now, "seen_at": now, "address": address[:64]}
    rehashed = hash_password(password) if is_outdated(user.password_hash) else None

    def work(session: Session) -> None:
        session.execute(delete(UserSession).where(col(UserSession.seen_at) < now - idle))
        session.execute(insert(UserSession).values(values))
        if rehashed:
            session.execute(update(User).where(col(User.id) == user.id).values(password_hash=rehashed))

    inventory.sessions.write(work)
    return token


def confirm_password(inventory: Inventory, *, name: str, password: str, address: str) -> bool:
    """Whether it is the password of the account, counted like an attempt to log in. Raises ``TooManyLogins``."""
    return _checked(inventory, name=name, password=password, address=address) is not None


def find_account(inventory: Inventory, token: str, *, idle: timedelta, address: str) -> Account | None:
    """Who a token stands for; None if its session was ended or stood idle for longer than ``idle``."""
    now = inventory.clock()
    query = (
        select(
            col(User.id),
            col(User.name),
            col(User.role),
            col(User.provisional),
            col(User.language),
            col(UserSession.seen_at),
        )
        .join(UserSession, col(UserSession.user_id) == col(User.id))
        .where(col(UserSession.id) == session_id(token), col(UserSession.seen_at) >= now - idle)
        .where(col(User.disabled_at).is_(None))
    )

    def find(session: Session) -> tuple[Account, datetime] | None:
        found = session.execute(query).one_or_none()
        if found is None:
            return None
        number, name, role, provisional, language, seen_at = found
        return Account(number or 0, name, Role.from_word(role), provisional, session_id(token), language), seen_at

    with inventory.sessions.reader() as session:
        known = find(session)
    if known is None and may_be_behind(inventory.sessions):
        # A replica that is behind must not throw anybody out.
        with reader_of_source(inventory.sessions) as session:
            known = find(session)
    if known is None:
        return None
    account, seen_at = known
    if now - seen_at > TOUCH_AFTER:
        _touch(inventory, account.session_id, address)
    return account


def log_out(inventory: Inventory, token: str) -> None:
    """End the session of this token."""
    statement = delete(UserSession).where(col(UserSession.id) == session_id(token))
    inventory.sessions.write(lambda session: session.execute(statement).close())


def session_id(token: str) -> str:
    """What the database knows of a token: a copy of the table logs nobody in."""
    return hashlib.sha256(token.encode()).hexdigest()


def _checked(inventory: Inventory, *, name: str, password: str, address: str) -> User | None:
    key = code_key(one_line(name)[:200])
    throttling.count_attempt(inventory, name_key=key, address=address)
    # A password that was just changed, or an account that was just disabled, counts at once.
    with reader_of_source(inventory.sessions) as session:
        user = session.scalars(select(User).where(col(User.name_key) == key)).one_or_none()
        stored = None if user is None else user.password_hash
        session.expunge_all()
    if not matches(stored, password) or user is None or user.disabled_at is not None:
        return None
    throttling.forgive(inventory, name_key=key, address=address)
    return user


def _touch(inventory: Inventory, session_key: str, address: str) -> None:
    statement = (
        update(UserSession)
        .where(col(UserSession.id) == session_key)
        .values(seen_at=inventory.clock(), address=address[:64])
    )
    try:
        inventory.sessions.write(lambda session: session.execute(statement).close())
    except InventoryError as error:
        # A page that only reads goes on while the source cannot be written to.
        log.warning("session_not_touched", code=error.code)
