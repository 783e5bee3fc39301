"""The page of the audit, and its file."""

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
from inventory_web.auth.roles import Role, requires
from inventory_web.context import current_inventory
from inventory_web.i18n.dates import day_start

LONGEST_PERSON = 80


def add_routes(blueprint: Blueprint) -> None:
    """``GET /audit`` and ``GET /audit.csv``."""
    blueprint.add_url_rule("/audit", view_func=events)
    blueprint.add_url_rule("/audit.csv", view_func=table)
    blueprint.add_app_template_global(event_label)
    blueprint.add_app_template_global(detail_lines)


@requires(Role.ADMIN)
def events() -> str:
    """The events of the filter in the address, the latest first."""
    before = request.args.get("before", "")
    page = events_page(
        current_inventory(),
        _wanted(),
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,
    )
    kinds = sorted({*Event, *event_kinds(current_inventory())}, key=event_label)
    return render_template("audit/events.html", page=page, kinds=kinds, asked=_asked())


@requires(Role.ADMIN)
def table() -> Response:
    """The same as comma-separated values, as UTC and with every detail; that it was fetched is an event too."""
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
        # The server closes the file once it is sent.
        until_sent.pop_all()
        return response


def _asked() -> dict[str, str]:
    """What the filter's fields hold, as it was typed."""
    return {name: request.args.get(name, "").strip()[:LONGEST_PERSON] for name in ("person", "event", "since", "until")}


def _wanted() -> EventFilter:
    asked = _asked()
    return EventFilter(asked["person"], asked["event"], day_start(asked, "since"), day_start(asked, "until", further=1))
