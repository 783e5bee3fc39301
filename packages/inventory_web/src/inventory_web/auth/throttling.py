"""Limits on failed logins, and browsers that have logged in to an account before.

A signed cookie keeps failures elsewhere from slowing such browsers down: see "Device cookies" of the OWASP Authentication Cheat
Sheet. The cookie does not authenticate; it only selects a separate count of failures.
"""

import hashlib
import ipaddress
import math
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlmodel import col
from werkzeug.wrappers import Response

from inventory_core import DriverErrorKind, Inventory, InventoryError, classify_driver_error, read_database_clock
from inventory_web.audit.log import Author, Event, add_event
from inventory_web.db.models import LoginThrottle
from inventory_web.db.stored_changes import bookkeeping
from inventory_web.errors import TooManyLogins
from inventory_web.http.preferences import YEAR_SECONDS, read_cookie, set_preference_cookie
from inventory_web.http.security import signing_keys
from inventory_web.settings import Settings

COOKIE = "inventory_device"
MAX_ACCOUNTS = 4
"""A browser shared by several users keeps only the latest ones, so that the cookie stays small."""


def known_device(name_key: str) -> str:
    """Return the id of this browser if it has logged in to the account before; else an empty text."""
    return _devices().get(_account(name_key), "")


def remember_device(response: Response, name_key: str, settings: Settings) -> None:
    """Store in the browser that it has logged in to the account."""
    devices = _devices()
    device = devices.pop(_account(name_key), "") or secrets.token_urlsafe(12)
    kept = dict(list(devices.items())[-(MAX_ACCOUNTS - 1) :]) | {_account(name_key): device}
    set_preference_cookie(response, COOKIE, _serializer().dumps(kept), settings)


def _devices() -> dict[str, str]:
    try:
        kept = _serializer().loads(read_cookie(COOKIE) or "", max_age=YEAR_SECONDS)
    except BadData:
        return {}
    return kept if isinstance(kept, dict) else {}


def _account(name_key: str) -> str:
    return hashlib.sha256(name_key.encode()).hexdigest()[:16]


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(signing_keys()[::-1], salt="inventory.known_device")


WINDOW = timedelta(minutes=15)
MAX_FOR_PAIR = 5
MAX_FOR_PAIR_OF_BUSY_ADDRESS = 2
BUSY_ADDRESS = 30
MAX_FOR_SECOND_FACTOR = 10
ACCOUNT_WINDOW = timedelta(days=1)
ACCOUNT_FREE_ATTEMPTS = 10
MAX_DELAY = timedelta(minutes=1)
MAX_SUBJECT_CHARACTERS = 40
ANONYMOUS = Author()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Limit:
    """The number of attempts that a key has within a window."""

    key: str
    most: int


def account_delay(attempts: int) -> timedelta:
    """Return the delay of the next attempt on an account after this many failures."""
    if attempts <= ACCOUNT_FREE_ATTEMPTS:
        return timedelta()
    return min(MAX_DELAY, timedelta(seconds=2 ** min(attempts - ACCOUNT_FREE_ATTEMPTS - 1, 10)))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A login attempt as it is counted.

    Args:
        name_key: The normalized name of the account, which need not exist.
        address: The address of the client.
        by: The author of audit events.
        second_factor: The attempt is a guess of the second factor.
        device: Identifies a browser or session that has been logged in to this account; empty: none.
    """

    name_key: str
    address: str
    by: Author = ANONYMOUS
    second_factor: bool = False
    device: str = ""


def run_counted(inventory: Inventory, attempt: Attempt, work: Callable[[Session, int], T]) -> T:
    """Count an attempt and run ``work``, which decides about it, in one transaction.

    Parallel guesses are counted one after another, and a refused one learns nothing: its work does not run.

    Args:
        inventory: The inventory whose database has the counts.
        attempt: The attempt.
        work: Gets the session and the attempts of the address so far, including this one; 0 for a known device.

    Raises:
        TooManyLogins: The attempt is not counted; the first refusal of a full window is audited.
    """

    def count_and_work(session: Session) -> T:
        return work(session, _count_attempt(session, attempt, inventory.clock()))

    try:
        try:
            return inventory.sessions.write(count_and_work)
        except DBAPIError as error:
            if classify_driver_error(error) is not DriverErrorKind.DUPLICATE:
                raise
            # Another instance started the same window at the same time; now there is a row to update.
            return inventory.sessions.write(count_and_work)
    except TooManyLogins:
        audit_refusal(inventory, attempt)
        raise


def count_attempt(
    inventory: Inventory,
    *,
    name_key: str,
    address: str,
    by: Author = ANONYMOUS,
    second_factor: bool = False,
    device: str = "",
) -> int:
    """Count an attempt in a transaction of its own, before its code is checked. See ``Attempt`` and ``run_counted``."""
    attempt = Attempt(name_key, address, by, second_factor, device)
    with bookkeeping():
        return run_counted(inventory, attempt, lambda _, of_address: of_address)


def require_allowed(session: Session, attempt: Attempt) -> None:
    """Raise ``TooManyLogins`` if the attempt would be refused now; count nothing."""
    now = read_database_clock(session.connection())
    for limit in _limits(session, attempt, now):
        found = _counted(session, limit.key, now)
        if found is not None and found.attempts >= limit.most:
            raise _too_many(found.ends_at - now)
    if not attempt.device and not attempt.second_factor:
        account = _counted(session, _account_key(attempt.name_key), now)
        if account is not None and account.next_at is not None and account.next_at > now:
            raise _too_many(account.next_at - now)


def forgive(
    inventory: Inventory,
    *,
    name_key: str,
    address: str,
    attempts: int = 1,
    second_factor: bool = False,
    device: str = "",
) -> None:
    """Remove a successful login from the counts in a transaction of its own; see ``release``."""
    attempt = Attempt(name_key, address, second_factor=second_factor, device=device)
    with bookkeeping():
        inventory.sessions.write(lambda session: release(session, attempt, attempts))


def release(session: Session, attempt: Attempt, attempts: int = 1) -> None:
    """Remove a successful login from the counts, and the failures of its pair or device."""
    device, name_key = attempt.device, attempt.name_key
    if not device:
        _release_attempts(session, _address_key(attempt.address), attempts)
        if not attempt.second_factor:
            _release_attempts(session, _account_key(name_key), attempts)
    known = [_device_limit(device).key if device else _digest("pair", name_key, _network(attempt.address))]
    known += [_second_factor_limit(name_key).key] * attempt.second_factor
    session.execute(delete(LoginThrottle).where(col(LoginThrottle.id).in_(known)))


def release_password(session: Session, attempt: Attempt) -> None:
    """Remove a correct password from the count of its account; its pair stays counted until the second factor is correct."""
    if not attempt.device:
        _release_attempts(session, _account_key(attempt.name_key), 1)


def audit_refusal(inventory: Inventory, attempt: Attempt) -> None:
    """Audit a full window once: a count of one above the limit marks it as audited."""

    def work(session: Session) -> None:
        for limit in _limits(session, attempt, read_database_clock(session.connection())):
            full = col(LoginThrottle.id) == limit.key, col(LoginThrottle.attempts) == limit.most
            result = session.execute(update(LoginThrottle).where(*full).values(attempts=limit.most + 1))
            if result.rowcount:  # type: ignore[attr-defined]
                _audit_throttled(session, attempt, inventory.clock())

    with suppress(InventoryError), bookkeeping():
        inventory.sessions.write(work)


def _count_attempt(session: Session, attempt: Attempt, at: datetime) -> int:
    now = read_database_clock(session.connection())
    session.execute(delete(LoginThrottle).where(col(LoginThrottle.ends_at) <= now))
    of_address = 0 if attempt.device else _count(session, _Limit(_address_key(attempt.address), 2**31 - 1), now)
    for limit in _limits_of(attempt, of_address):
        _count(session, limit, now)
    if not attempt.device and not attempt.second_factor:
        attempts = _count_for_account(session, attempt.name_key, now)
        if attempts == ACCOUNT_FREE_ATTEMPTS + 1:
            _audit_throttled(session, attempt, at)
    return of_address


def _audit_throttled(session: Session, attempt: Attempt, at: datetime) -> None:
    subject = attempt.name_key[:MAX_SUBJECT_CHARACTERS]
    add_event(session, at, Event.LOGIN_THROTTLED, by=attempt.by, subject=subject)


def _limits(session: Session, attempt: Attempt, now: datetime) -> list[_Limit]:
    """Return the limits of an attempt that is not counted yet."""
    found = None if attempt.device else _counted(session, _address_key(attempt.address), now)
    return _limits_of(attempt, 1 if found is None else found.attempts + 1)


def _limits_of(attempt: Attempt, of_address: int) -> list[_Limit]:
    device = attempt.device
    first = _device_limit(device) if device else _pair_limit(attempt.name_key, attempt.address, of_address)
    return [first, *[_second_factor_limit(attempt.name_key)] * attempt.second_factor]


def _counted(session: Session, key: str, now: datetime) -> LoginThrottle | None:
    query = select(LoginThrottle).where(col(LoginThrottle.id) == key, col(LoginThrottle.ends_at) > now)
    return session.scalars(query).one_or_none()


def _release_attempts(session: Session, key: str, attempts: int) -> None:
    session.execute(
        update(LoginThrottle)
        .where(col(LoginThrottle.id) == key, col(LoginThrottle.attempts) >= attempts)
        .values(attempts=col(LoginThrottle.attempts) - attempts)
    )


def _count(session: Session, limit: _Limit, now: datetime) -> int:
    row = col(LoginThrottle.id) == limit.key
    counted = session.execute(
        update(LoginThrottle)
        .where(row, col(LoginThrottle.attempts) < limit.most)
        .values(attempts=col(LoginThrottle.attempts) + 1)
    )
    found = session.execute(select(col(LoginThrottle.attempts), col(LoginThrottle.ends_at)).where(row)).one_or_none()
    if counted.rowcount and found is not None:  # type: ignore[attr-defined]
        return int(found.attempts)
    if found is not None:
        raise _too_many(found.ends_at - now)
    session.execute(insert(LoginThrottle).values(id=limit.key, attempts=1, ends_at=now + WINDOW))
    return 1


def _count_for_account(session: Session, name_key: str, now: datetime) -> int:
    key = _account_key(name_key)
    found = session.scalars(select(LoginThrottle).where(col(LoginThrottle.id) == key).with_for_update()).one_or_none()
    if found is None:
        values = {"id": key, "attempts": 1, "ends_at": now + ACCOUNT_WINDOW, "next_at": now}
        session.execute(insert(LoginThrottle).values(values))
        return 1
    if found.next_at is not None and found.next_at > now:
        raise _too_many(found.next_at - now)
    attempts = found.attempts + 1
    values = {"attempts": attempts, "ends_at": now + ACCOUNT_WINDOW, "next_at": now + account_delay(attempts)}
    session.execute(update(LoginThrottle).where(col(LoginThrottle.id) == key).values(values))
    return attempts


def _too_many(wait: timedelta) -> TooManyLogins:
    return TooManyLogins(max(1, math.ceil(wait.total_seconds())))


def _pair_limit(name_key: str, address: str, of_address: int) -> _Limit:
    most = MAX_FOR_PAIR_OF_BUSY_ADDRESS if of_address > BUSY_ADDRESS else MAX_FOR_PAIR
    return _Limit(_digest("pair", name_key, _network(address)), most)


def _device_limit(device: str) -> _Limit:
    return _Limit(_digest("device", device), MAX_FOR_PAIR)


def _second_factor_limit(name_key: str) -> _Limit:
    return _Limit(_digest("second factor", name_key), MAX_FOR_SECOND_FACTOR)


def _address_key(address: str) -> str:
    return _digest("address", _network(address))


def _account_key(name_key: str) -> str:
    return _digest("account", name_key)


def _network(address: str) -> str:
    """Return the IPv4 address, or the IPv6 network that one customer usually has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
