"""``outbox``: events that wait for plugins, and those that were given up."""

import dataclasses
import json
import sys

import click
from flask_babel import gettext, ngettext

from inventory_core import (
    DeadLetter,
    deliver_batch,
    discard_dead_letters,
    list_dead_letters,
    outbox_status,
    retry_dead_letters,
)
from inventory_web.cli.session import inventory_session
from inventory_web.i18n.labels import format_number
from inventory_web.settings import Settings

MAX_LISTED = 1_000
BATCH_SIZE = 500


def show(*, as_json: bool) -> None:
    """Show how many events wait, and every dead letter."""
    with inventory_session(Settings.from_environment()) as inventory:
        status, letters = outbox_status(inventory), list_dead_letters(inventory, MAX_LISTED)
        if as_json:
            described = {**dataclasses.asdict(status), "letters": [dataclasses.asdict(letter) for letter in letters]}
            click.echo(json.dumps(described, ensure_ascii=False, default=str))
            return
        waiting = ngettext(
            "%(number)s evento espera",
            "%(number)s eventos esperan",
            status.waiting,
            number=format_number(status.waiting),
        )
        age = gettext(
            "el más antiguo, desde hace %(seconds)s s", seconds=format_number(round(status.oldest_age_seconds))
        )
        click.echo(f"{waiting}; {age}." if status.waiting else f"{waiting}.")
        dead = ngettext(
            "%(number)s evento abandonado",
            "%(number)s eventos abandonados",
            status.dead_letters,
            number=format_number(status.dead_letters),
        )
        click.echo(f"{dead}{':' if letters else '.'}")
        for letter in letters:
            click.echo("\t".join(_cells(letter)))


def deliver() -> None:
    """Deliver until nothing is due; exit with 1 if an event was not taken."""
    delivered = failed = 0
    with inventory_session(Settings.from_environment()) as inventory:
        while (batch := deliver_batch(inventory, BATCH_SIZE)).claimed:
            delivered += batch.delivered
            failed += batch.failed + batch.dead
        click.echo(
            ngettext(
                "%(number)s evento entregado.",
                "%(number)s eventos entregados.",
                delivered,
                number=format_number(delivered),
            )
        )
        if failed:
            click.echo(
                ngettext(
                    "%(number)s entrega fallida; se repetirá.",
                    "%(number)s entregas fallidas; se repetirán.",
                    failed,
                    number=format_number(failed),
                ),
                err=True,
            )
    sys.exit(1 if failed else 0)


def retry(ids: tuple[int, ...]) -> None:
    """Put these dead letters, or all of them, back into the outbox."""
    with inventory_session(Settings.from_environment()) as inventory:
        count = retry_dead_letters(inventory, ids or None)
        click.echo(
            ngettext(
                "%(number)s evento vuelve a la bandeja de salida.",
                "%(number)s eventos vuelven a la bandeja de salida.",
                count,
                number=format_number(count),
            )
        )


def discard(ids: tuple[int, ...]) -> None:
    """Delete these dead letters for good."""
    with inventory_session(Settings.from_environment()) as inventory:
        count = discard_dead_letters(inventory, ids)
        click.echo(
            ngettext("%(number)s evento borrado.", "%(number)s eventos borrados.", count, number=format_number(count))
        )


def _cells(letter: DeadLetter) -> tuple[str, ...]:
    dead_at = letter.dead_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return (str(letter.id), letter.event, dead_at, str(letter.attempts), letter.last_error.replace("\n", " "))
