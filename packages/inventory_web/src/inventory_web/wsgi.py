"""The WSGI entry point: ``inventory_web.wsgi:application()``."""

from flask import Flask

from inventory_web import context
from inventory_web.app import create_app
from inventory_web.blueprints.ops.metrics import start_writing
from inventory_web.cli.language import command_language
from inventory_web.db.replicas import replicated_metrics
from inventory_web.http.logs import configure_logging
from inventory_web.i18n.languages import translation_context
from inventory_web.jobs import outbox_relay, runner
from inventory_web.settings import Settings


def application() -> Flask:
    """Create the application from the environment and configure logging of this process; call it after a fork.

    From then on the process runs jobs, also those that other instances left behind, and delivers events.
    """
    with translation_context(command_language()):
        settings = Settings.from_environment()
        configure_logging(settings.log_level)
        app = create_app(settings)
    runner.start(app)
    outbox_relay.get_relay(app).start()
    sessions = app.extensions[context.EXTENSION].inventory.sessions
    start_writing(lambda: replicated_metrics(sessions))
    return app
