"""Argon2id hashes and the rules for passwords."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from inventory_core import Fault

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
