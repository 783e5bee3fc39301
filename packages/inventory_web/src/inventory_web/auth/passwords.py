"""Argon2id hashes and what a password must be."""

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

# Of a random text that nobody kept; made with the profile below, so that an unknown name costs as much as a known one.
DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$GaE50BBpY2OiWDz2zLG4xQ$mgl7USdR11vK35wRF4Sw8OZH6mQR0QEWi/D8wAls0OA"


@cache
def _hasher() -> PasswordHasher:
    """The smallest profile of the OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """A salted hash with its parameters."""
    return _hasher().hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether it is the password; takes the same time if ``stored`` is None, and then is always False."""
    try:
        _hasher().verify(stored or DUMMY_HASH, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher().check_needs_rehash(stored)


def password_faults(field: str, name: str, password: str) -> list[Fault]:
    """What is wrong with a new password; its text is never part of a fault."""
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
    """Return whether a password is among the first that are guessed.

    Those are the 30,000 most common passwords, common words and names, keyboard patterns, dates, the user name and the words of
    this product, also with digits after them or letters replaced by digits. Nothing leaves the machine.
    """
    # Its word lists take 14 MB, which a process that changes no password does not need.
    from zxcvbn import zxcvbn  # noqa: PLC0415

    known = [name, *name.split(), INITIAL_NAME, INITIAL_PASSWORD, *PRODUCT_WORDS]
    # The estimate takes longer than linear time; what comes after its limit only adds to the strength.
    return bool(zxcvbn(password[:ESTIMATED_CHARACTERS], user_inputs=known)["guesses"] < MIN_GUESSES)
