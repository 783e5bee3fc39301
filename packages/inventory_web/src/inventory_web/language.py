"""Which language a page is in, and how it writes times and numbers."""

from datetime import datetime
from importlib import resources
from pathlib import Path

from flask import Flask
from flask_babel import Babel, format_datetime
from markupsafe import Markup

from inventory_web import messages
from inventory_web.settings import Settings


def set_up(app: Flask, settings: Settings) -> None:
    """Spanish is the language of the message ids; other catalogues are compiled into ``inventory_web_assets``."""
    folders = [
        Path(str(resources.files("inventory_web_assets"))) / "translations",
        Path(app.root_path) / "translations",
    ]
    Babel(
        app,
        default_locale="es",
        default_timezone=settings.timezone,
        default_translation_directories=";".join(str(folder) for folder in folders),
        locale_selector=lambda: settings.language,
    )
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.add_template_filter(messages.number, "number")
    app.add_template_filter(_when, "when")


def _when(time: datetime) -> Markup:
    """A time in the configured zone, with the exact one for machines."""
    return Markup('<time datetime="{}">{}</time>').format(
        time.isoformat(timespec="seconds"), format_datetime(time, "short")
    )
