"""Secrets at rest: readable only with the key of the application."""

import base64
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


def seal(text: str, *, secret_key: str) -> str:
    """Encrypt a text with a key of its own that is derived from the application's."""
    return _cipher(secret_key).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, *, secret_keys: Sequence[str]) -> str | None:
    """Return what was sealed; None if it was sealed with none of the keys, or changed."""
    try:
        return MultiFernet(map(_cipher, secret_keys)).decrypt(sealed.encode("ascii")).decode()
    except InvalidToken:
        return None


def reseal(sealed: str, *, secret_keys: Sequence[str]) -> str | None:
    """Return the same text sealed with the first key; None if the first key opens it already, or if no key does."""
    if unseal(sealed, secret_keys=secret_keys[:1]) is not None:
        return None
    text = unseal(sealed, secret_keys=secret_keys)
    return None if text is None else seal(text, secret_key=secret_keys[0])


def _cipher(secret_key: str) -> Fernet:
    key = hmac.digest(secret_key.encode(), b"inventory second factors", "sha256")
    return Fernet(base64.urlsafe_b64encode(key))
