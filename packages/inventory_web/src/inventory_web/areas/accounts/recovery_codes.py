"""Codes on paper that stand for a second factor that is lost; each works once."""

import hashlib
import secrets
import unicodedata
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_web.areas.accounts.tables import RecoveryCode

HOW_MANY = 10
GROUPS, GROUP = 3, 5

# Douglas Crockford's base 32: no letter that is read as a digit. 75 bits, so a plain hash cannot be tried out.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
READ_AS = str.maketrans("ilo", "110")


def make_codes(session: Session, user_id: int) -> tuple[str, ...]:
    """Put new codes in the place of those that the account has, and give them."""
    codes = tuple(
        "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
        for _ in range(HOW_MANY)
    )
    forget_codes(session, user_id)
    session.execute(insert(RecoveryCode), [{"id": _digest(user_id, bare(code)), "user_id": user_id} for code in codes])
    return codes


def use_code(session: Session, user_id: int, code: str, now: datetime) -> bool:
    """Whether it is a code of the account that nobody has used; from now on it is used."""
    those = col(RecoveryCode.id) == _digest(user_id, bare(code)), col(RecoveryCode.user_id) == user_id
    used = session.execute(update(RecoveryCode).where(*those, col(RecoveryCode.used_at).is_(None)).values(used_at=now))
    return bool(used.rowcount)  # type: ignore[attr-defined]


def codes_left(session: Session, user_id: int) -> int:
    """How many codes of the account nobody has used."""
    query = select(func.count()).where(col(RecoveryCode.user_id) == user_id, col(RecoveryCode.used_at).is_(None))
    return session.scalar(query) or 0


def forget_codes(session: Session, user_id: int) -> None:
    """Take all codes of the account away."""
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))


def bare(code: str) -> str:
    """A code as it is compared: without blanks, strokes and case."""
    read = unicodedata.normalize("NFKC", code[:64])
    return "".join(character for character in read if character.isalnum()).lower().translate(READ_AS)


def _digest(user_id: int, code: str) -> str:
    return hashlib.sha256(f"{user_id}\0{code}".encode()).hexdigest()
