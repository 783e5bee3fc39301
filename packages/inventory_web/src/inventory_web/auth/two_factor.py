"""Time-based one-time passwords (RFC 6238) as a second factor, with recovery codes; secrets are encrypted at rest."""

import base64
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core import Fault, Inventory, code_key, normalize_line
from inventory_web.audit.log import Author, Event, add_event
from inventory_web.context import CurrentUser
from inventory_web.db.models import RecoveryCode, SecondFactor, User
from inventory_web.errors import AccountNotFound, AccountRefused
from inventory_web.http.logs import get_logger


def encrypt(text: str, *, secret_key: str) -> str:
    """Encrypt a text with a key that is derived from the application's key."""
    return _cipher(secret_key).encrypt(text.encode()).decode("ascii")


def decrypt(sealed: str, *, secret_keys: Sequence[str]) -> str | None:
    """Return the decrypted text; None if none of the keys fits or the text was changed."""
    try:
        return MultiFernet(map(_cipher, secret_keys)).decrypt(sealed.encode("ascii")).decode()
    except InvalidToken:
        return None


def reencrypt(sealed: str, *, secret_keys: Sequence[str]) -> str | None:
    """Return the text encrypted with the first key; None if it already is, or if no key fits."""
    if decrypt(sealed, secret_keys=secret_keys[:1]) is not None:
        return None
    text = decrypt(sealed, secret_keys=secret_keys)
    return None if text is None else encrypt(text, secret_key=secret_keys[0])


def _cipher(secret_key: str) -> Fernet:
    key = hmac.digest(secret_key.encode(), b"inventory second factors", "sha256")
    return Fernet(base64.urlsafe_b64encode(key))


RECOVERY_CODES = 10
GROUPS, GROUP = 3, 5

# Douglas Crockford's base 32: no letter looks like a digit. 75 bits, so a plain hash resists guessing.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
READ_AS = str.maketrans("ilo", "110")


def make_codes(session: Session, user_id: int) -> tuple[str, ...]:
    """Replace the recovery codes of the account and return the new ones."""
    codes = tuple(
        "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
        for _ in range(RECOVERY_CODES)
    )
    delete_codes(session, user_id)
    session.execute(
        insert(RecoveryCode),
        [{"id": _code_digest(user_id, normalize_code(code)), "user_id": user_id} for code in codes],
    )
    return codes


def use_code(session: Session, user_id: int, code: str, now: datetime) -> bool:
    """Use up a recovery code; return whether the account has it unused."""
    those = col(RecoveryCode.id) == _code_digest(user_id, normalize_code(code)), col(RecoveryCode.user_id) == user_id
    used = session.execute(update(RecoveryCode).where(*those, col(RecoveryCode.used_at).is_(None)).values(used_at=now))
    return bool(used.rowcount)  # type: ignore[attr-defined]


def codes_left(session: Session, user_id: int) -> int:
    """Return the number of unused recovery codes of the account."""
    query = select(func.count()).where(col(RecoveryCode.user_id) == user_id, col(RecoveryCode.used_at).is_(None))
    return session.scalar(query) or 0


def delete_codes(session: Session, user_id: int) -> None:
    """Delete all recovery codes of the account."""
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))


def normalize_code(code: str) -> str:
    """Normalize a code for comparison: without blanks, hyphens and case."""
    read = unicodedata.normalize("NFKC", code[:64])
    return "".join(character for character in read if character.isalnum()).lower().translate(READ_AS)


def _code_digest(user_id: int, code: str) -> str:
    return hashlib.sha256(f"{user_id}\0{code}".encode()).hexdigest()


STEP_SECONDS = 30
DIGITS = 6
SKEW = 1
"""Number of time steps that a clock may be off."""
ENROLMENT = timedelta(minutes=15)
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TwoFactorStatus:
    """The status of an account; ``secret`` of an enrolment that this session has started, and ``fresh`` codes to show."""

    on: bool = False
    secret: str = ""
    fresh: tuple[str, ...] = ()
    codes_left: int = 0


def two_factor_status(inventory: Inventory, account: CurrentUser, *, secret_keys: Sequence[str]) -> TwoFactorStatus:
    """Return the status of the account, as its own session may see it."""
    with inventory.sessions.reader() as session:
        row = session.get(SecondFactor, account.id)
        if row is None:
            return TwoFactorStatus()
        own = row.begun_by == account.session_id and row.begun_at > inventory.clock() - ENROLMENT
        if row.confirmed_at is None:
            return TwoFactorStatus(secret=(decrypt(row.secret, secret_keys=secret_keys) or "") if own else "")
        fresh = (decrypt(row.fresh, secret_keys=secret_keys) or "") if own and row.fresh else ""
        return TwoFactorStatus(True, fresh=tuple(fresh.split()), codes_left=codes_left(session, account.id))


def begin(inventory: Inventory, account: CurrentUser, *, secret_keys: Sequence[str]) -> None:
    """Create a secret, which is active after ``confirm`` with one of its codes; replaces an unfinished enrolment.

    Raises ``AccountRefused`` if the account already has a second factor.
    """
    values = {
        "user_id": account.id,
        "secret": encrypt(pyotp.random_base32(), secret_key=secret_keys[0]),
        "last_step": 0,
    }
    values |= {"begun_by": account.session_id, "begun_at": inventory.clock()}

    def work(session: Session) -> None:
        if _locked(session, account.id) is not None:
            raise AccountRefused(Fault("second_code", "second_factor_on"))
        session.execute(delete(SecondFactor).where(col(SecondFactor.user_id) == account.id))
        session.execute(insert(SecondFactor).values(values))

    inventory.sessions.write(work)


def confirm(inventory: Inventory, account: CurrentUser, code: str, *, secret_keys: Sequence[str], by: Author) -> bool:
    """Activate the second factor if the code matches this session's enrolment, and create recovery codes."""

    def work(session: Session) -> bool:
        now = inventory.clock()
        row = session.get(SecondFactor, account.id, with_for_update=True)
        if row is None or row.begun_by != account.session_id or row.begun_at <= now - ENROLMENT:
            return False
        if row.confirmed_at is not None:
            # The second click of a double click: the codes of the first one are still to be shown.
            return row.fresh is not None
        step = _step_of(decrypt(row.secret, secret_keys=secret_keys), code, now, after=row.last_step)
        if step is None:
            return False
        _show(session, account, seal_in=secret_keys[0], begun_at=now, confirmed_at=now, last_step=step)
        add_event(session, now, Event.SECOND_FACTOR_ON, by=by, subject=account.name)
        return True

    return inventory.sessions.write(work)


def check(inventory: Inventory, user_id: int, code: str, *, secret_keys: Sequence[str], by: Author) -> bool:
    """Return whether it is an unused recovery code, or a current code (within one step) that was not accepted before."""
    return inventory.sessions.write(
        lambda session: accept_code(session, user_id, code, now=inventory.clock(), secret_keys=secret_keys, by=by)
    )


def accept_code(
    session: Session, user_id: int, code: str, *, now: datetime, secret_keys: Sequence[str], by: Author
) -> bool:
    """Return what ``check`` returns; an accepted code is used from now on."""
    row = _locked(session, user_id)
    if row is None:
        return False
    step = _step_of(decrypt(row.secret, secret_keys=secret_keys), code, now, after=row.last_step)
    if step is not None:
        session.execute(update(SecondFactor).where(col(SecondFactor.user_id) == user_id).values(last_step=step))
        return True
    if not use_code(session, user_id, code, now):
        return False
    left = codes_left(session, user_id)
    add_event(session, now, Event.RECOVERY_CODE_USED, by=by, subject=by.name, left=left)
    return True


def renew_codes(inventory: Inventory, account: CurrentUser, *, secret_keys: Sequence[str], by: Author) -> None:
    """Replace the recovery codes. Raises ``AccountRefused`` without a second factor."""

    def work(session: Session) -> None:
        if _locked(session, account.id) is None:
            raise AccountRefused(Fault("second_code", "second_factor_off"))
        now = inventory.clock()
        _show(session, account, seal_in=secret_keys[0], begun_at=now, begun_by=account.session_id)
        add_event(session, now, Event.RECOVERY_CODES_MADE, by=by, subject=account.name)

    inventory.sessions.write(work)


def hide_codes(inventory: Inventory, account: CurrentUser) -> None:
    """Keep only the hashes of the recovery codes, after the user has saved them."""
    statement = update(SecondFactor).where(col(SecondFactor.user_id) == account.id).values(fresh=None)
    inventory.sessions.write(lambda session: session.execute(statement).close())


def disable(inventory: Inventory, *, name: str, by: Author) -> bool:
    """Remove the second factor and its recovery codes; return False if there is none. Raises ``AccountNotFound``."""

    def work(session: Session) -> bool:
        user = session.scalars(select(User).where(col(User.name_key) == code_key(normalize_line(name)))).one_or_none()
        if user is None or user.id is None:
            raise AccountNotFound(name)
        was_on = _locked(session, user.id) is not None
        session.execute(delete(SecondFactor).where(col(SecondFactor.user_id) == user.id))
        delete_codes(session, user.id)
        if was_on:
            own = code_key(by.name) == user.name_key
            event = Event.SECOND_FACTOR_OFF if own else Event.SECOND_FACTOR_RESET
            add_event(session, inventory.clock(), event, by=by, subject=user.name)
        return was_on

    return inventory.sessions.write(work)


def reseal_secrets(inventory: Inventory, *, secret_keys: Sequence[str]) -> int:
    """Encrypt with the first key what is encrypted with a later one; return the number of second factors."""

    def work(session: Session) -> int:
        changed = 0
        for row in session.scalars(select(SecondFactor).with_for_update()):
            secret = reencrypt(row.secret, secret_keys=secret_keys)
            fresh = reencrypt(row.fresh, secret_keys=secret_keys) if row.fresh else None
            row.secret, row.fresh = secret or row.secret, fresh or row.fresh
            changed += secret is not None
        session.flush()
        return changed

    return inventory.sessions.write(work)


def provisioning_uri(secret: str, account: CurrentUser, *, issuer: str) -> str:
    """Return the content of the QR code: ``otpauth://totp/…``."""
    return pyotp.TOTP(secret).provisioning_uri(name=account.name, issuer_name=issuer)


def _step_of(secret: str | None, code: str, now: datetime, *, after: int) -> int | None:
    """Return the time step of the code if it is later than ``after``, else None."""
    if secret is None:
        log.error("second_factor_unreadable", reason="it was stored with another INVENTORY_SECRET_KEY")
        return None
    typed = normalize_code(code)
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        return None
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // STEP_SECONDS
    steps = range(max(after + 1, current - SKEW), current + SKEW + 1)
    return next((step for step in steps if hmac.compare_digest(totp.generate_otp(step), typed)), None)


def _locked(session: Session, user_id: int) -> SecondFactor | None:
    """Return the active second factor, locked until the end of the transaction, so that a code counts once."""
    query = select(SecondFactor).where(
        col(SecondFactor.user_id) == user_id, col(SecondFactor.confirmed_at).is_not(None)
    )
    return session.scalars(query.with_for_update()).one_or_none()


def _show(session: Session, account: CurrentUser, *, seal_in: str, **values: object) -> None:
    """Create recovery codes and keep them readable until the user has seen them."""
    codes = make_codes(session, account.id)
    sealed = encrypt(" ".join(codes), secret_key=seal_in)
    session.execute(update(SecondFactor).where(col(SecondFactor.user_id) == account.id).values(fresh=sealed, **values))
