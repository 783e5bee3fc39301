"""Light or dark: what the account says, else what this browser was told, else what its system says."""

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
    """The theme that the person chose, else this browser; ``system`` without a choice, or with one that is not ours."""
    account = context.current_user()
    told = (account.theme if account else None, cookies.read_cookie(COOKIE))
    return next((theme for each in told for theme in THEMES if theme == each), "system")


def theme_texts() -> dict[Theme, str]:
    """What a person reads for each theme, in the order in which they are offered."""
    return {"system": gettext("Como el sistema"), "light": gettext("Claro"), "dark": gettext("Oscuro")}


def save_theme(response: Response, theme: Theme, settings: Settings) -> None:
    """Let this browser keep the theme, also before a login and after it."""
    cookies.set_preference_cookie(response, COOKIE, theme, settings)
