"""The language of a page, and its format of times and numbers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.support import NullTranslations
from flask import Flask, has_request_context, request
from flask_babel import Babel, Domain, force_locale, format_datetime, get_locale
from markupsafe import Markup
from werkzeug.wrappers import Response

from inventory_web import context
from inventory_web.http import cookies
from inventory_web.i18n import labels
from inventory_web.i18n.catalogues import BUILT_IN, LANGUAGES, SOURCE_LANGUAGE, read_catalogues
from inventory_web.settings import Settings

COOKIE = "inventory_language"


def init_app(app: Flask, settings: Settings, folders: Sequence[Path]) -> None:
    """Load the translations of ``folders``, and choose the language of each request with ``select_locale``."""
    _join(app, folders, lambda: select_locale(settings.language), timezone=settings.timezone)
    app.add_template_filter(labels.format_number, "number")
    app.add_template_filter(_when, "when")


@contextmanager
def translation_context(language: str, folders: Sequence[Path] = (BUILT_IN,)) -> Iterator[None]:
    """Use this language while there is no application, as on the command line."""
    app = Flask("inventory_web", static_folder=None)
    _join(app, folders, lambda: language)
    with app.app_context():
        yield


def current_language() -> str:
    """Return the current language, one of ``LANGUAGES``."""
    locale = get_locale()
    return locale.language if locale else SOURCE_LANGUAGE


def in_all_languages(text: Callable[[], str]) -> dict[str, str]:
    """Return the text by language, to store it for later readers."""
    told = {}
    for language in LANGUAGES:
        with force_locale(language):
            told[language] = text()
    return told


def select_locale(otherwise: str) -> str:
    """Return the locale of the account, else of this browser's cookie, else of its request, else ``otherwise``.

    Numbers and dates follow the region that the browser names for this language, such as Mexico's: 1,234.
    """
    if not has_request_context():
        return otherwise
    account = context.current_user()
    told = (account.language if account else None, cookies.read_cookie(COOKIE))
    ours = sorted(LANGUAGES, key=lambda language: language != otherwise)
    chosen = next((language for language in told if language in LANGUAGES), None)
    return _with_region(chosen or request.accept_languages.best_match(ours) or otherwise)


def save_language(response: Response, language: str, settings: Settings) -> None:
    """Store the language in this browser, also before a login and after it."""
    cookies.set_preference_cookie(response, COOKIE, language, settings)


class _Catalogues(Domain):
    """Provides translations to Flask-Babel from memory instead of compiled files."""

    def __init__(self, folders: Sequence[Path]) -> None:
        super().__init__()
        self._folders = folders
        self._read: dict[str, NullTranslations] = {}

    def get_translations(self) -> NullTranslations:
        language = current_language()
        if language not in self._read:
            self._read[language] = read_catalogues(language, self._folders)
        return self._read[language]


def _join(app: Flask, folders: Sequence[Path], locale: Callable[[], str], timezone: str = "UTC") -> None:
    babel = Babel(app, default_locale=SOURCE_LANGUAGE, default_timezone=timezone, locale_selector=locale)
    babel.domain_instance = _Catalogues(folders)


def _with_region(language: str) -> str:
    for asked, _ in request.accept_languages:
        named, _, region = asked.replace("_", "-").partition("-")
        if named.lower() == language and region.isalnum() and len(region) in (2, 3):
            try:
                return str(Locale(language, region.upper()))
            except UnknownLocaleError:
                continue
    return language


def _when(time: datetime) -> Markup:
    """Return a time in the configured zone, with the exact time for machines. Month names avoid ambiguous dates such as 3/4."""
    locale = get_locale() or Locale(SOURCE_LANGUAGE)
    pattern = f"{locale.date_formats['medium'].pattern}, {locale.time_formats['short'].pattern}"
    return Markup('<time datetime="{}">{}</time>').format(
        time.isoformat(timespec="seconds"), format_datetime(time, pattern)
    )
