"""The page of the audit, and its file."""

import json
from contextlib import ExitStack
from tempfile import TemporaryFile

from flask import Blueprint, render_template, request, send_file
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_core import FileColumn, write_csv
from inventory_web.areas.audit.reading import EventFilter, EventRow, events_page, every_event, kinds_of
from inventory_web.areas.audit.texts import details_of, event_text
from inventory_web.auditing import Event, announce, the_author, the_filter
from inventory_web.current import the_inventory
from inventory_web.roles import Role, requires
from inventory_web.typed_days import day_begin

LONGEST_PERSON = 80


def add_routes(blueprint: Blueprint) -> None:
    """``GET /audit`` and ``GET /audit.csv``."""
    blueprint.add_url_rule("/audit", view_func=events)
    blueprint.add_url_rule("/audit.csv", view_func=table)
    blueprint.add_app_template_global(event_text)
    blueprint.add_app_template_global(details_of)


@requires(Role.ADMIN)
def events() -> str:
    """The events of the filter in the address, the latest first."""
    before = request.args.get("before", "")
    page = events_page(
        the_inventory(),
        _wanted(),
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,
    )
    kinds = sorted({*Event, *kinds_of(the_inventory())}, key=event_text)
    return render_template("audit/events.html", page=page, kinds=kinds, asked=_asked())


@requires(Role.ADMIN)
def table() -> Response:
    """The same as comma-separated values, as UTC and with every detail; that it was fetched is an event too."""
    stock, author = the_inventory(), the_author()
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
        rows = write_csv(target, columns, every_event(stock, _wanted()))
        target.seek(0)
        word = gettext("auditoria")
        name = f"{word}-{stock.clock():%Y-%m-%d}.csv"
        announce(
            stock,
            Event.EXPORTED,
            by=author,
            subject=name,
            rows=rows,
            filter=the_filter(),
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
    return EventFilter(asked["person"], asked["event"], day_begin(asked, "since"), day_begin(asked, "until", further=1))
