"""Secrets at rest: readable only with the key of the application."""

import base64
import hmac

from cryptography.fernet import Fernet, InvalidToken


def seal(text: str, *, secret_key: str) -> str:
    """Encrypt a text with a key of its own that is derived from the application's."""
    return _cipher(secret_key).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, *, secret_key: str) -> str | None:
    """What was sealed; None if it was sealed with another key, or changed."""
    try:
        return _cipher(secret_key).decrypt(sealed.encode("ascii")).decode()
    except InvalidToken:
        return None


def _cipher(secret_key: str) -> Fernet:
    key = hmac.digest(secret_key.encode(), b"inventory second factors", "sha256")
    return Fernet(base64.urlsafe_b64encode(key))
