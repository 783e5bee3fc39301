"""Keyset cursors in URLs: opaque, signed and never trusted."""

import json
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from inventory_web.http.security import signing_keys


def write_cursor(values: Any, *, purpose: str) -> str:
    """Encode JSON-like ``values`` as a cursor; ``read_cursor`` needs the same ``purpose``, such as the sort order."""
    return _serializer(purpose).dumps(values)


def read_cursor(text: str, *, purpose: str) -> Any:
    """Return the values of a cursor; None if it is empty, tampered with, or for another ``purpose``."""
    if not text:
        return None
    try:
        return _serializer(purpose).loads(text)
    except (BadData, json.JSONDecodeError, UnicodeDecodeError):
        return None


def _serializer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(signing_keys()[::-1], salt=f"inventory.cursor.{purpose}")
