"""Keyset positions in addresses: opaque, signed, and never trusted."""

import json
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from inventory_web.http.security import signing_keys


def write_cursor(values: Any, *, purpose: str) -> str:
    """Pack JSON-like ``values`` for the address; ``purpose`` (such as the sort) must be the same when it is read."""
    return _serializer(purpose).dumps(values)


def read_cursor(text: str, *, purpose: str) -> Any:
    """The values of a cursor; None if it is empty, changed by hand, or was made for another ``purpose``."""
    if not text:
        return None
    try:
        return _serializer(purpose).loads(text)
    except (BadData, json.JSONDecodeError, UnicodeDecodeError):
        return None


def _serializer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(signing_keys()[::-1], salt=f"inventory.cursor.{purpose}")
