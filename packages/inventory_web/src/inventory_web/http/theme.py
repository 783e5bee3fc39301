"""The theme, light or dark: chosen by the account, else by this browser, else by its system."""

from typing import Literal

from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_web import context
from inventory_web.http import cookies
from inventory_web.settings import Settings

COOKIE = "inventory_theme"

Theme = Literal["system", "light", "dark"]
THEMES: tuple[Theme, ...] = ("system", "light", "dark")


def current_theme() -> Theme:
    """Return the theme of the account, else of this browser; ``system`` if there is no valid choice."""
    account = context.current_user()
    told = (account.theme if account else None, cookies.read_cookie(COOKIE))
    return next((theme for each in told for theme in THEMES if theme == each), "system")


def theme_texts() -> dict[Theme, str]:
    """Return the label of each theme, in the order of the menu."""
    return {"system": gettext("Como el sistema"), "light": gettext("Claro"), "dark": gettext("Oscuro")}


def save_theme(response: Response, theme: Theme, settings: Settings) -> None:
    """Store the theme in this browser, also before a login and after it."""
    cookies.set_preference_cookie(response, COOKIE, theme, settings)
