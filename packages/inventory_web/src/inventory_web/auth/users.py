"""Accounts and their passwords."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core import (
    MAX_KEY_LENGTH,
    Cursor,
    DriverErrorKind,
    Fault,
    Inventory,
    classify_driver_error,
    code_key,
    normalize_line,
    text_faults,
)
from inventory_web.audit.log import Author, Event, add_event
from inventory_web.db.models import SecondFactor, User, UserSession
from inventory_web.errors import AccountNotFound, AccountRefused
from inventory_web.http.preferences import Theme
from inventory_web.i18n.catalogues import LANGUAGES
from inventory_web.roles import Role

INITIAL_NAME = "admin"
INITIAL_PASSWORD = "admin123"  # noqa: S105 - public, and demanded to be changed
SHORTEST, LONGEST = 10, 200
MIN_GUESSES = 10**6
ESTIMATED_CHARACTERS = 64
PRODUCT_WORDS = (
    "inventario",
    "inventory",
    "almacen",
    "almacén",
    "existencias",
    "administrador",
    "administracion",
    "usuario",
    "operador",
    "consulta",
    "contraseña",
    "contrasena",
    "clave",
    "secreto",
    "provisional",
)

# The hash of a discarded random text, with the profile of `hasher`, so that an unknown name takes as long as a known one.
DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$GaE50BBpY2OiWDz2zLG4xQ$mgl7USdR11vK35wRF4Sw8OZH6mQR0QEWi/D8wAls0OA"


@cache
def hasher() -> PasswordHasher:
    """Return the smallest profile of the OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """Return a salted hash with its parameters."""
    return hasher().hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Return whether the password matches. A ``stored`` of None takes the same time and returns False."""
    try:
        hasher().verify(stored or DUMMY_HASH, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Return whether the hash uses outdated parameters."""
    return hasher().check_needs_rehash(stored)


def password_faults(field: str, name: str, password: str) -> list[Fault]:
    """Return the faults of a new password; they never contain the password."""
    if not password:
        return [Fault(field, "required")]
    if len(password) < SHORTEST:
        return [Fault(field, "too_short", limit=SHORTEST)]
    if len(password) > LONGEST:
        return [Fault(field, "too_long", limit=LONGEST)]
    if password == INITIAL_PASSWORD or is_common(password, name):
        return [Fault(field, "too_easy")]
    return []


def is_common(password: str, name: str) -> bool:
    """Return whether a password is easy to guess.

    Checks the 30,000 most common passwords, common words and names, keyboard patterns, dates, the user name and words of this
    product, also with appended digits or letters replaced by digits. Works offline.
    """
    # The word lists take 14 MB, which a process that changes no password does not need.
    from zxcvbn import zxcvbn  # noqa: PLC0415

    known = [name, *name.split(), INITIAL_NAME, INITIAL_PASSWORD, *PRODUCT_WORDS]
    # The estimate is slower than linear; text after the limit only adds to the strength.
    return bool(zxcvbn(password[:ESTIMATED_CHARACTERS], user_inputs=known)["guesses"] < MIN_GUESSES)


MAX_NAME_CHARACTERS = 40
# Japanese and Korean are written in several scripts.
_TOGETHER = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HANGUL": "CJK"}


def name_faults(cleaned: str) -> list[Fault]:
    """Return the faults of a normalized user name."""
    faults = text_faults("username", cleaned, longest=MAX_NAME_CHARACTERS, required=True)
    if not faults and len(code_key(cleaned)) > MAX_KEY_LENGTH:
        faults.append(Fault("username", "too_long", cleaned, MAX_NAME_CHARACTERS))
    return faults


def is_mixed_script(name: str) -> bool:
    """Return whether a name mixes scripts, as imitations of another name do (one Cyrillic letter in "admin")."""
    words = (
        unicodedata.name(char, "").partition(" ")[0] for char in unicodedata.normalize("NFKC", name) if char.isalpha()
    )
    return len({_TOGETHER.get(word, word) for word in words}) > 1


SYSTEM_AUTHOR = Author()


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account in lists.

    ``last_seen``: the latest request of an open session, accurate to a few minutes; ``sessions``: the number of open sessions;
    ``logged_in_at``: the latest login, ended or not.
    """

    id: int
    name: str
    role: Role
    provisional: bool
    disabled: bool
    created_at: datetime
    last_seen: datetime | None
    sessions: int
    logged_in_at: datetime | None
    second_factor: bool

    @property
    def mixed_script(self) -> bool:
        """Return whether its name may imitate another one."""
        return is_mixed_script(self.name)


def list_accounts(
    inventory: Inventory, *, search: str = "", after: Cursor | None = None, limit: int | None = None
) -> tuple[AccountRow, ...]:
    """Return at most ``limit`` accounts by name whose name contains ``search``, those that follow ``after``."""
    query = (
        select(
            User, col(SecondFactor.confirmed_at), func.max(col(UserSession.seen_at)), func.count(col(UserSession.id))
        )
        .outerjoin(SecondFactor, col(SecondFactor.user_id) == col(User.id))
        .outerjoin(UserSession, col(UserSession.user_id) == col(User.id))
        .group_by(*User.__table__.c, col(SecondFactor.confirmed_at))  # type: ignore[attr-defined]
        .order_by(col(User.name_key))
        .limit(limit)
    )
    if after is not None:
        after.require(str, int)
        query = query.where(col(User.name_key) > code_key(str(after.value)))
    if search:
        query = query.where(
            col(User.name_key).contains(code_key(normalize_line(search)[:MAX_KEY_LENGTH]), autoescape=True)
        )
    with inventory.sessions.reader() as session:
        return tuple(_row(*found) for found in session.execute(query))


def user_names(inventory: Inventory) -> tuple[str, ...]:
    """Return the name of every account, including disabled ones."""
    with inventory.sessions.reader() as session:
        return tuple(session.scalars(select(col(User.name)).order_by(col(User.id))))


def admin_names(inventory: Inventory) -> tuple[str, ...]:
    """Return the first ten active administrators, for users who need their help."""
    query = select(col(User.name)).where(col(User.role) == Role.ADMIN.word, col(User.disabled_at).is_(None))
    with inventory.sessions.reader() as session:
        return tuple(session.scalars(query.order_by(col(User.name_key)).limit(10)))


def add_account(
    inventory: Inventory, *, name: str, role: Role, password: str, provisional: bool = False, by: Author = SYSTEM_AUTHOR
) -> str:
    """Create an account and return its normalized name. Raises ``AccountRefused`` with every fault."""
    cleaned = normalize_line(name)
    if faults := [*name_faults(cleaned), *password_faults("password", cleaned, password)]:
        raise AccountRefused(*faults)
    values = {
        "name": cleaned,
        "name_key": code_key(cleaned),
        "role": role.word,
        "password_hash": hash_password(password),
        "provisional": provisional,
        "created_at": inventory.clock(),
    }

    def work(session: Session) -> None:
        session.execute(insert(User).values(values))
        add_event(session, inventory.clock(), Event.ACCOUNT_ADDED, by=by, subject=cleaned, role=role.word)

    try:
        inventory.sessions.write(work)
    except DBAPIError as error:
        if classify_driver_error(error) is not DriverErrorKind.DUPLICATE:
            raise
        raise AccountRefused(Fault("username", "duplicate", cleaned)) from error
    return cleaned


def set_password(
    inventory: Inventory,
    *,
    name: str,
    password: str,
    provisional: bool = False,
    keep_session: str = "",
    by: Author = SYSTEM_AUTHOR,
) -> None:
    """Change the password and end every session of the account except ``keep_session``, the user's own.

    Raises ``AccountNotFound``, or ``AccountRefused`` if the password is too short, too long or too easy to guess.
    """
    faults = password_faults("new_password", name, password)
    if faults:
        raise AccountRefused(*faults)
    hashed = hash_password(password)

    def work(session: Session, user: User) -> None:
        _change(session, user, password_hash=hashed, provisional=provisional)
        _end_sessions(session, user, keep=keep_session)
        event = Event.PASSWORD_CHANGED if keep_session else Event.PASSWORD_RESET
        add_event(session, inventory.clock(), event, by=by, subject=user.name)

    _for_account(inventory, name, work)


def set_role(inventory: Inventory, *, name: str, role: Role, by: Author = SYSTEM_AUTHOR) -> None:
    """Change the role. Raises ``AccountNotFound``, or ``AccountRefused`` for the last administrator."""

    def work(session: Session, user: User) -> None:
        if role is not Role.ADMIN:
            _require_another_admin(session, user, "role")
        add_event(
            session, inventory.clock(), Event.ROLE_CHANGED, by=by, subject=user.name, before=user.role, after=role.word
        )
        _change(session, user, role=role.word)

    _for_account(inventory, name, work)


def disable_account(inventory: Inventory, *, name: str, by: Author = SYSTEM_AUTHOR) -> None:
    """Disable the account and end its sessions. Raises the same errors as ``set_role``. Safe to repeat."""

    def work(session: Session, user: User) -> None:
        _require_another_admin(session, user, "username")
        if user.disabled_at is None:
            _change(session, user, disabled_at=inventory.clock())
            add_event(session, inventory.clock(), Event.ACCOUNT_DISABLED, by=by, subject=user.name)
        _end_sessions(session, user)

    _for_account(inventory, name, work)


def enable_account(inventory: Inventory, *, name: str, by: Author = SYSTEM_AUTHOR) -> None:
    """Reverse ``disable_account``. Raises ``AccountNotFound``. Safe to repeat."""

    def work(session: Session, user: User) -> None:
        if user.disabled_at is not None:
            _change(session, user, disabled_at=None)
            add_event(session, inventory.clock(), Event.ACCOUNT_ENABLED, by=by, subject=user.name)

    _for_account(inventory, name, work)


def end_sessions(inventory: Inventory, *, name: str, by: Author = SYSTEM_AUTHOR) -> None:
    """End every session of an account. Raises ``AccountNotFound``."""

    def work(session: Session, user: User) -> None:
        if ended := _end_sessions(session, user):
            add_event(session, inventory.clock(), Event.SESSION_ENDED, by=by, subject=user.name, sessions=ended)

    _for_account(inventory, name, work)


def set_language(inventory: Inventory, *, name: str, language: str) -> None:
    """Store the language of the account. Raises ``AccountNotFound``, or ``AccountRefused`` for an unknown language."""
    if language not in LANGUAGES:
        raise AccountRefused(Fault("language", "unknown", language[:80]))
    _for_account(inventory, name, lambda session, user: _change(session, user, language=language))


def set_theme(inventory: Inventory, *, name: str, theme: Theme) -> None:
    """Store the theme of the account. Raises ``AccountNotFound``."""
    _for_account(inventory, name, lambda session, user: _change(session, user, theme=theme))


def has_initial_password(inventory: Inventory) -> bool:
    """Return whether the first account still has its well-known initial password."""
    query = select(User).where(col(User.name_key) == code_key(INITIAL_NAME), col(User.disabled_at).is_(None))
    with inventory.sessions.reader() as session:
        user = session.scalars(query).one_or_none()
        return user is not None and user.provisional and matches(user.password_hash, INITIAL_PASSWORD)


def _for_account(inventory: Inventory, name: str, work: Callable[[Session, User], None]) -> None:
    def locked(session: Session) -> None:
        query = select(User).where(col(User.name_key) == code_key(normalize_line(name))).with_for_update()
        user = session.scalars(query).one_or_none()
        if user is None:
            raise AccountNotFound(name)
        work(session, user)

    inventory.sessions.write(locked)


def _require_another_admin(session: Session, user: User, field: str) -> None:
    # Locked, so that two administrators who disable each other at the same time do not both succeed.
    query = select(User).where(col(User.role) == Role.ADMIN.word, col(User.disabled_at).is_(None)).with_for_update()
    admins = {admin.id for admin in session.scalars(query)}
    if admins == {user.id}:
        raise AccountRefused(Fault(field, "last_admin"))


def _change(session: Session, user: User, **values: Any) -> None:
    session.execute(update(User).where(col(User.id) == user.id).values(values))


def _end_sessions(session: Session, user: User, *, keep: str = "") -> int:
    those = col(UserSession.user_id) == user.id, col(UserSession.id) != keep
    return int(session.execute(delete(UserSession).where(*those)).rowcount)  # type: ignore[attr-defined]


def _row(user: User, confirmed_at: datetime | None, last_seen: datetime | None, sessions: int) -> AccountRow:
    return AccountRow(
        id=user.id or 0,
        name=user.name,
        role=Role.from_word(user.role),
        provisional=user.provisional,
        disabled=user.disabled_at is not None,
        created_at=user.created_at,
        last_seen=last_seen,
        sessions=sessions,
        logged_in_at=user.logged_in_at,
        second_factor=confirmed_at is not None,
    )
