"""Choose the language and the theme of a page, and name the cookies of this application."""

import re
from typing import Literal

from babel import Locale, UnknownLocaleError
from flask import has_request_context, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_web import context
from inventory_web.i18n.catalogues import LANGUAGES
from inventory_web.settings import Settings

YEAR_SECONDS = 365 * 86_400
LANGUAGE_COOKIE = "inventory_language"
THEME_COOKIE = "inventory_theme"


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


Theme = Literal["system", "light", "dark"]
THEMES: tuple[Theme, ...] = ("system", "light", "dark")


def current_theme() -> Theme:
    """Return the theme of the account, else of this browser; ``system`` if there is no valid choice."""
    account = context.current_user()
    choices = (account.theme if account else None, read_cookie(THEME_COOKIE))
    return next((theme for each in choices for theme in THEMES if theme == each), "system")


def theme_texts() -> dict[Theme, str]:
    """Return the label of each theme, in the order of the menu."""
    return {"system": gettext("Como el sistema"), "light": gettext("Claro"), "dark": gettext("Oscuro")}


def save_theme(response: Response, theme: Theme, settings: Settings) -> None:
    """Store the theme in this browser, also before a login and after it."""
    set_preference_cookie(response, THEME_COOKIE, theme, settings)


def select_locale(otherwise: str) -> str:
    """Return the locale of the account, else of this browser's cookie, else of its request, else ``otherwise``.

    Numbers and dates follow the region that the browser names for this language, such as Mexico's: 1,234.
    """
    if not has_request_context():
        return otherwise
    account = context.current_user()
    choices = (account.language if account else None, read_cookie(LANGUAGE_COOKIE))
    ours = sorted(LANGUAGES, key=lambda language: language != otherwise)
    chosen = next((language for language in choices if language in LANGUAGES), None)
    return _with_region(chosen or request.accept_languages.best_match(ours) or otherwise)


def save_language(response: Response, language: str, settings: Settings) -> None:
    """Store the language in this browser, also before a login and after it."""
    set_preference_cookie(response, LANGUAGE_COOKIE, language, settings)


def _with_region(language: str) -> str:
    for accepted, _ in request.accept_languages:
        named, _, region = accepted.replace("_", "-").partition("-")
        if named.lower() == language and region.isalnum() and len(region) in (2, 3):
            try:
                return str(Locale(language, region.upper()))
            except UnknownLocaleError:
                continue
    return language
