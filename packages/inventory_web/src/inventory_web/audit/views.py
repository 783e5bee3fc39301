"""The page of audit events, and its CSV file."""

import json
from contextlib import ExitStack
from tempfile import TemporaryFile

from flask import Blueprint, render_template, request, send_file
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_core import FileColumn, write_csv
from inventory_web.audit.labels import detail_lines, event_label
from inventory_web.audit.log import Event, current_author, current_filter, log_event
from inventory_web.audit.queries import EventFilter, EventRow, event_kinds, events_page, iter_events
from inventory_web.context import current_inventory
from inventory_web.http.pagination import read_cursor
from inventory_web.i18n.dates import day_start
from inventory_web.roles import Role, requires

LONGEST_PERSON = 80


def add_routes(blueprint: Blueprint) -> None:
    """Add ``GET /audit`` and ``GET /audit.csv``."""
    blueprint.add_url_rule("/audit", view_func=events)
    blueprint.add_url_rule("/audit.csv", view_func=table)
    blueprint.add_app_template_global(event_label)
    blueprint.add_app_template_global(detail_lines)


@requires(Role.ADMIN)
def events() -> str:
    """Show the events of the filter in the URL, newest first."""
    page = events_page(current_inventory(), _wanted(), after=read_cursor(request.args))
    kinds = sorted({*Event, *event_kinds(current_inventory())}, key=event_label)
    return render_template("audit/events.html", page=page, kinds=kinds, fields=_filter_fields())


@requires(Role.ADMIN)
def table() -> Response:
    """Return the same events as CSV, with UTC times and every detail; the download is an event, too."""
    stock, author = current_inventory(), current_author()
    columns: tuple[FileColumn[EventRow], ...] = (
        FileColumn("at", lambda row: row.at),
        FileColumn("event", lambda row: row.event),
        FileColumn("actor", lambda row: row.actor),
        FileColumn("subject", lambda row: row.subject),
        FileColumn("address", lambda row: row.address),
        FileColumn("request_id", lambda row: row.request_id),
        FileColumn("details", lambda row: json.dumps(row.details, ensure_ascii=False)),
    )
    with ExitStack() as until_sent:
        target = until_sent.enter_context(TemporaryFile())
        rows = write_csv(target, columns, iter_events(stock, _wanted()))
        target.seek(0)
        word = gettext("auditoria")
        name = f"{word}-{stock.clock():%Y-%m-%d}.csv"
        log_event(
            stock,
            Event.EXPORTED,
            by=author,
            subject=name,
            rows=rows,
            filter=current_filter(),
        )
        response = send_file(target, "text/csv", as_attachment=True, download_name=name)
        # The server closes the file after sending it.
        until_sent.pop_all()
        return response


def _filter_fields() -> dict[str, str]:
    """Return the typed content of the filter's fields."""
    return {name: request.args.get(name, "").strip()[:LONGEST_PERSON] for name in ("person", "event", "since", "until")}


def _wanted() -> EventFilter:
    fields = _filter_fields()
    return EventFilter(
        fields["person"], fields["event"], day_start(fields, "since"), day_start(fields, "until", further=1)
    )
