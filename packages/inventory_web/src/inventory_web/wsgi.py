"""The entry for a WSGI server: ``inventory_web.wsgi:application()``."""

from flask import Flask

from inventory_web.app import create_app
from inventory_web.cli_words import chosen_language
from inventory_web.language import speaking
from inventory_web.logs import configure_logging
from inventory_web.settings import Settings


def application() -> Flask:
    """Make the application from the environment, with logging set up for this process."""
    with speaking(chosen_language()):
        settings = Settings.from_environment()
        configure_logging(settings.log_level)
        return create_app(settings)
