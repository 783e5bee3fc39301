"""Browsers that have logged in to an account before: a signed cookie keeps failures elsewhere from slowing them down.

See "Device cookies" of the OWASP Authentication Cheat Sheet. The cookie does not authenticate; it only selects a separate count
of failures.
"""

import hashlib
import secrets

from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from inventory_web.http.preferences import YEAR_SECONDS, read_cookie, set_preference_cookie
from inventory_web.http.security import signing_keys
from inventory_web.settings import Settings

COOKIE = "inventory_device"
MAX_ACCOUNTS = 4
"""A browser shared by several users keeps only the latest ones, so that the cookie stays small."""


def known_device(name_key: str) -> str:
    """Return the id of this browser if it has logged in to the account before; else an empty text."""
    return _devices().get(_account(name_key), "")


def remember_device(response: Response, name_key: str, settings: Settings) -> None:
    """Store in the browser that it has logged in to the account."""
    devices = _devices()
    device = devices.pop(_account(name_key), "") or secrets.token_urlsafe(12)
    kept = dict(list(devices.items())[-(MAX_ACCOUNTS - 1) :]) | {_account(name_key): device}
    set_preference_cookie(response, COOKIE, _serializer().dumps(kept), settings)


def _devices() -> dict[str, str]:
    try:
        kept = _serializer().loads(read_cookie(COOKIE) or "", max_age=YEAR_SECONDS)
    except BadData:
        return {}
    return kept if isinstance(kept, dict) else {}


def _account(name_key: str) -> str:
    return hashlib.sha256(name_key.encode()).hexdigest()[:16]


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(signing_keys()[::-1], salt="inventory.known_device")
