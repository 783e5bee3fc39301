"""Failed logins are counted in the database, so that the limit is one for all instances.

Counted are the pair of name and address, and the address alone. No guess of a password counts for a name alone: a stranger
can slow down his own address, but lock nobody else out. Guesses of a second factor do, since only who knows the password
gets that far, and six digits would not stand many addresses at once.
"""

import hashlib
import ipaddress
import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core.errors import InventoryError
from inventory_core.failures import Failure, classify
from inventory_core.inventory import Inventory
from inventory_web.areas.accounts.tables import LoginThrottle
from inventory_web.auditing import Author, Event, record
from inventory_web.errors import TooManyLogins
from inventory_web.stored_changes import bookkeeping

WINDOW = timedelta(minutes=15)
MOST_FOR_PAIR = 5
MOST_FOR_ADDRESS = 30
MOST_FOR_SECOND_FACTOR = 10
LONGEST_TOLD = 40
NOBODY = Author()


def count_attempt(
    inventory: Inventory, *, name_key: str, address: str, by: Author = NOBODY, second_factor: bool = False
) -> None:
    """Count an attempt before its password or code is looked at, so that parallel guesses are counted too.

    Raises ``TooManyLogins`` and counts nothing if there were too many within 15 minutes; the first refusal is audited.
    """
    limits = [(_address_key(address), MOST_FOR_ADDRESS), (_pair_key(name_key, address), MOST_FOR_PAIR)]
    if second_factor:
        limits.append((_second_factor_key(name_key), MOST_FOR_SECOND_FACTOR))

    def work(session: Session) -> None:
        now = inventory.clock()
        session.execute(delete(LoginThrottle).where(col(LoginThrottle.ends_at) <= now))
        for key, most in limits:
            _count(session, key, most, now)

    try:
        with bookkeeping():
            try:
                inventory.sessions.write(work)
            except DBAPIError as error:
                if classify(error) is not Failure.DUPLICATE:
                    raise
                # Another instance began the same window a moment ago; now there is a row to count in.
                inventory.sessions.write(work)
    except TooManyLogins:
        _tell(inventory, limits, name_key, by)
        raise


def forgive(
    inventory: Inventory, *, name_key: str, address: str, attempts: int = 1, second_factor: bool = False
) -> None:
    """Take back what a successful login of so many attempts has counted, and the failures of its pair."""

    def work(session: Session) -> None:
        session.execute(
            update(LoginThrottle)
            .where(col(LoginThrottle.id) == _address_key(address), col(LoginThrottle.attempts) >= attempts)
            .values(attempts=col(LoginThrottle.attempts) - attempts)
        )
        known = [_pair_key(name_key, address)] + [_second_factor_key(name_key)] * second_factor
        session.execute(delete(LoginThrottle).where(col(LoginThrottle.id).in_(known)))

    with bookkeeping():
        inventory.sessions.write(work)


def _tell(inventory: Inventory, limits: Sequence[tuple[str, int]], name_key: str, by: Author) -> None:
    """Audit that a window is full, once: a count of one more than the limit says that it was told."""

    def work(session: Session) -> None:
        for key, most in limits:
            full = col(LoginThrottle.id) == key, col(LoginThrottle.attempts) == most
            told = session.execute(update(LoginThrottle).where(*full).values(attempts=most + 1))
            if told.rowcount:  # type: ignore[attr-defined]
                record(session, inventory.clock(), Event.LOGIN_THROTTLED, by=by, subject=name_key[:LONGEST_TOLD])

    with suppress(InventoryError), bookkeeping():
        inventory.sessions.write(work)


def _count(session: Session, key: str, most: int, now: datetime) -> None:
    row = col(LoginThrottle.id) == key
    counted = session.execute(
        update(LoginThrottle)
        .where(row, col(LoginThrottle.attempts) < most)
        .values(attempts=col(LoginThrottle.attempts) + 1)
    )
    if counted.rowcount:  # type: ignore[attr-defined]
        return
    ends_at = session.scalar(select(col(LoginThrottle.ends_at)).where(row))
    if ends_at is not None:
        raise TooManyLogins(max(1, math.ceil((ends_at - now).total_seconds())))
    session.execute(insert(LoginThrottle).values(id=key, attempts=1, ends_at=now + WINDOW))


def _address_key(address: str) -> str:
    return _digest("address", _network(address))


def _pair_key(name_key: str, address: str) -> str:
    return _digest("pair", name_key, _network(address))


def _second_factor_key(name_key: str) -> str:
    return _digest("second factor", name_key)


def _network(address: str) -> str:
    """One IPv4 address, or the IPv6 network that one customer has at his disposal."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
