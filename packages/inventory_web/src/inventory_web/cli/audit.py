"""``audit prune``."""

from datetime import UTC, datetime

import click
from flask_babel import ngettext

from inventory_web.audit import views
from inventory_web.audit.log import Author
from inventory_web.cli.session import inventory_session, system_actor
from inventory_web.i18n.labels import format_number
from inventory_web.settings import Settings


def prune(before: datetime) -> None:
    """Delete the events from before a day (UTC)."""
    with inventory_session(Settings.from_environment()) as inventory:
        deleted = views.prune_events(inventory, before.replace(tzinfo=UTC), by=Author(system_actor()))
        text = ngettext(
            "%(number)s suceso borrado.", "%(number)s sucesos borrados.", deleted, number=format_number(deleted)
        )
        click.echo(text)
