"""Format times and dates, and load the catalogues of a language; `http/preferences.py` chooses the language of a page."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.support import NullTranslations
from flask import Flask
from flask_babel import Babel, Domain, force_locale, format_datetime, get_locale
from markupsafe import Markup

from inventory_core import Fault, InvalidInput
from inventory_web.context import current_settings
from inventory_web.i18n import labels
from inventory_web.i18n.catalogues import BUILT_IN, LANGUAGES, SOURCE_LANGUAGE, read_catalogues


def init_app(app: Flask, folders: Sequence[Path], *, locale: Callable[[], str], timezone: str) -> None:
    """Load the translations of ``folders``; ``locale`` returns the language of each request."""
    _join(app, folders, locale, timezone=timezone)
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
    texts = {}
    for language in LANGUAGES:
        with force_locale(language):
            texts[language] = text()
    return texts


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


def _when(time: datetime) -> Markup:
    """Return a time in the configured zone, with the exact time for machines. Month names avoid ambiguous dates such as 3/4."""
    locale = get_locale() or Locale(SOURCE_LANGUAGE)
    pattern = f"{locale.date_formats['medium'].pattern}, {locale.time_formats['short'].pattern}"
    return Markup('<time datetime="{}">{}</time>').format(
        time.isoformat(timespec="seconds"), format_datetime(time, pattern)
    )


def day_start(fields: Mapping[str, str], field: str, *, further: int = 0) -> datetime | None:
    """Return the start of the day in a field, such as 2026-11-24, plus ``further`` days, in the time zone of the pages.

    Returns None for an empty field and outside the calendar's range. Raises ``InvalidInput`` for an invalid date, so that users
    do not mistake an unfiltered list for a filtered one.
    """
    text = fields[field]
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=further)
        return datetime.combine(day, time.min, ZoneInfo(current_settings().timezone)).astimezone(UTC)
    except ValueError:
        raise InvalidInput(Fault(field, "not_a_day", text)) from None
    except OverflowError:
        return None
