"""Cookies of applications that share a host: each has its own names and its own path."""

import re

from flask import request
from werkzeug.wrappers import Response

from inventory_web.settings import Settings

YEAR_SECONDS = 365 * 86_400


def cookie_name(name: str) -> str:
    """Return the cookie name of the application at this prefix; without a prefix, ``name`` itself."""
    prefix = re.sub("[^A-Za-z0-9]+", "_", request.script_root).strip("_")
    return f"{name}_{prefix}" if prefix else name


def cookie_path() -> str:
    """Return the path of this application's cookies."""
    return request.script_root or "/"


def read_cookie(name: str) -> str | None:
    """Return what ``set_preference_cookie`` stored in this browser, if anything."""
    return request.cookies.get(cookie_name(name))


def set_preference_cookie(response: Response, name: str, value: str, settings: Settings) -> None:
    """Store a choice in this browser, where scripts cannot read it."""
    response.set_cookie(
        cookie_name(name),
        value,
        YEAR_SECONDS,
        path=cookie_path(),
        secure=settings.secure_cookies,
        httponly=True,
        samesite="Lax",
    )
