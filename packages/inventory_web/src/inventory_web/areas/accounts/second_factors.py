"""One-time passwords by time (RFC 6238) as a second factor: enrolment, checking, and taking it away.

Of ``secret_keys`` the first one seals; all of them open.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core import Fault, Inventory, code_key, normalize_line
from inventory_web.areas.accounts import recovery_codes
from inventory_web.areas.accounts.sealing import reseal, seal, unseal
from inventory_web.areas.accounts.tables import SecondFactor, User
from inventory_web.auditing import Author, Event, record
from inventory_web.current import Account
from inventory_web.errors import AccountNotFound, AccountRefused
from inventory_web.logs import get_logger

STEP_SECONDS = 30
DIGITS = 6
SKEW = 1
"""So many steps may a clock be ahead or behind."""
ENROLMENT = timedelta(minutes=15)
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands: ``secret`` of an enrolment that this session has begun, and ``fresh`` codes to be shown."""

    on: bool = False
    secret: str = ""
    fresh: tuple[str, ...] = ()
    codes_left: int = 0


def standing_of(inventory: Inventory, account: Account, *, secret_keys: Sequence[str]) -> Standing:
    """How the account stands, as its own session may see it."""
    with inventory.sessions.reader() as session:
        row = session.get(SecondFactor, account.id)
        if row is None:
            return Standing()
        own = row.begun_by == account.session_id and row.begun_at > inventory.clock() - ENROLMENT
        if row.confirmed_at is None:
            return Standing(secret=(unseal(row.secret, secret_keys=secret_keys) or "") if own else "")
        fresh = (unseal(row.fresh, secret_keys=secret_keys) or "") if own and row.fresh else ""
        return Standing(True, fresh=tuple(fresh.split()), codes_left=recovery_codes.codes_left(session, account.id))


def begin(inventory: Inventory, account: Account, *, secret_keys: Sequence[str]) -> None:
    """Make a secret that counts once ``confirm`` has seen a code of it; an enrolment that was not finished is forgotten.

    Raises ``AccountRefused`` if the account has a second factor already.
    """
    values = {"user_id": account.id, "secret": seal(pyotp.random_base32(), secret_key=secret_keys[0]), "last_step": 0}
    values |= {"begun_by": account.session_id, "begun_at": inventory.clock()}

    def work(session: Session) -> None:
        if _locked(session, account.id) is not None:
            raise AccountRefused(Fault("second_code", "second_factor_on"))
        session.execute(delete(SecondFactor).where(col(SecondFactor.user_id) == account.id))
        session.execute(insert(SecondFactor).values(values))

    inventory.sessions.write(work)


def confirm(inventory: Inventory, account: Account, code: str, *, secret_keys: Sequence[str], by: Author) -> bool:
    """Switch it on if the code fits the secret of this session's enrolment; recovery codes are made and are fresh."""

    def work(session: Session) -> bool:
        now = inventory.clock()
        row = session.get(SecondFactor, account.id, with_for_update=True)
        if row is None or row.begun_by != account.session_id or row.begun_at <= now - ENROLMENT:
            return False
        if row.confirmed_at is not None:
            # The second click of a double one: the codes of the first wait to be shown.
            return row.fresh is not None
        step = _step_of(unseal(row.secret, secret_keys=secret_keys), code, now, after=row.last_step)
        if step is None:
            return False
        _show(session, account, seal_in=secret_keys[0], begun_at=now, confirmed_at=now, last_step=step)
        record(session, now, Event.SECOND_FACTOR_ON, by=by, subject=account.name)
        return True

    return inventory.sessions.write(work)


def check(inventory: Inventory, user_id: int, code: str, *, secret_keys: Sequence[str], by: Author) -> bool:
    """Whether the code is one of now, give or take a step, that was not accepted before, or an unused recovery code."""

    def work(session: Session) -> bool:
        now = inventory.clock()
        row = _locked(session, user_id)
        if row is None:
            return False
        step = _step_of(unseal(row.secret, secret_keys=secret_keys), code, now, after=row.last_step)
        if step is not None:
            session.execute(update(SecondFactor).where(col(SecondFactor.user_id) == user_id).values(last_step=step))
            return True
        if not recovery_codes.use_code(session, user_id, code, now):
            return False
        left = recovery_codes.codes_left(session, user_id)
        record(session, now, Event.RECOVERY_CODE_USED, by=by, subject=by.name, left=left)
        return True

    return inventory.sessions.write(work)


def renew_codes(inventory: Inventory, account: Account, *, secret_keys: Sequence[str], by: Author) -> None:
    """Put fresh recovery codes in the place of the old ones. Raises ``AccountRefused`` without a second factor."""

    def work(session: Session) -> None:
        if _locked(session, account.id) is None:
            raise AccountRefused(Fault("second_code", "second_factor_off"))
        now = inventory.clock()
        _show(session, account, seal_in=secret_keys[0], begun_at=now, begun_by=account.session_id)
        record(session, now, Event.RECOVERY_CODES_MADE, by=by, subject=account.name)

    inventory.sessions.write(work)


def hide_codes(inventory: Inventory, account: Account) -> None:
    """The person has the recovery codes: only their hashes are kept from now on."""
    statement = update(SecondFactor).where(col(SecondFactor.user_id) == account.id).values(fresh=None)
    inventory.sessions.write(lambda session: session.execute(statement).close())


def switch_off(inventory: Inventory, *, name: str, by: Author) -> bool:
    """Take the second factor and its recovery codes away; False if there is none. Raises ``AccountNotFound``."""

    def work(session: Session) -> bool:
        user = session.scalars(select(User).where(col(User.name_key) == code_key(normalize_line(name)))).one_or_none()
        if user is None or user.id is None:
            raise AccountNotFound(name)
        was_on = _locked(session, user.id) is not None
        session.execute(delete(SecondFactor).where(col(SecondFactor.user_id) == user.id))
        recovery_codes.forget_codes(session, user.id)
        if was_on:
            own = code_key(by.name) == user.name_key
            event = Event.SECOND_FACTOR_OFF if own else Event.SECOND_FACTOR_RESET
            record(session, inventory.clock(), event, by=by, subject=user.name)
        return was_on

    return inventory.sessions.write(work)


def reseal_secrets(inventory: Inventory, *, secret_keys: Sequence[str]) -> int:
    """Seal with the first key what only a later one opens; return how many second factors were sealed again."""

    def work(session: Session) -> int:
        changed = 0
        for row in session.scalars(select(SecondFactor).with_for_update()):
            secret = reseal(row.secret, secret_keys=secret_keys)
            fresh = reseal(row.fresh, secret_keys=secret_keys) if row.fresh else None
            row.secret, row.fresh = secret or row.secret, fresh or row.fresh
            changed += secret is not None
        session.flush()
        return changed

    return inventory.sessions.write(work)


def address_for(secret: str, account: Account, *, issuer: str) -> str:
    """What the QR code says: ``otpauth://totp/…``."""
    return pyotp.TOTP(secret).provisioning_uri(name=account.name, issuer_name=issuer)


def _step_of(secret: str | None, code: str, now: datetime, *, after: int) -> int | None:
    """The time step whose code it is; only those later than ``after`` count."""
    if secret is None:
        log.error("second_factor_unreadable", reason="it was stored with another INVENTORY_SECRET_KEY")
        return None
    typed = recovery_codes.bare(code)
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        return None
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // STEP_SECONDS
    steps = range(max(after + 1, current - SKEW), current + SKEW + 1)
    return next((step for step in steps if hmac.compare_digest(totp.generate_otp(step), typed)), None)


def _locked(session: Session, user_id: int) -> SecondFactor | None:
    """The second factor in use, held until the end of the transaction, so that no code counts twice."""
    query = select(SecondFactor).where(
        col(SecondFactor.user_id) == user_id, col(SecondFactor.confirmed_at).is_not(None)
    )
    return session.scalars(query.with_for_update()).one_or_none()


def _show(session: Session, account: Account, *, seal_in: str, **values: object) -> None:
    """Make recovery codes and keep them readable until they were seen."""
    codes = recovery_codes.make_codes(session, account.id)
    sealed = seal(" ".join(codes), secret_key=seal_in)
    session.execute(update(SecondFactor).where(col(SecondFactor.user_id) == account.id).values(fresh=sealed, **values))
