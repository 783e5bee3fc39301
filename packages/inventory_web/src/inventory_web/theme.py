"""Light or dark: what the account says, else what this browser was told, else what its system says."""

from typing import Literal

from flask import request
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_web import current
from inventory_web.settings import Settings

COOKIE = "inventory_theme"
COOKIE_SECONDS = 365 * 86_400

Theme = Literal["system", "light", "dark"]
THEMES: tuple[Theme, ...] = ("system", "light", "dark")


def the_theme() -> Theme:
    """The theme that the person chose, else this browser; ``system`` without a choice, or with one that is not ours."""
    account = current.the_account()
    told = (account.theme if account else None, request.cookies.get(COOKIE))
    return next((theme for each in told for theme in THEMES if theme == each), "system")


def theme_texts() -> dict[Theme, str]:
    """What a person reads for each theme, in the order in which they are offered."""
    return {"system": gettext("Como el sistema"), "light": gettext("Claro"), "dark": gettext("Oscuro")}


def remember(response: Response, theme: Theme, settings: Settings) -> None:
    """Let this browser keep the theme, also before a login and after it."""
    response.set_cookie(COOKIE, theme, COOKIE_SECONDS, secure=settings.secure_cookies, httponly=True, samesite="Lax")
