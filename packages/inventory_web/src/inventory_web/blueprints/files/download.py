"""Download of the filtered list through a temporary file, so that memory use is constant."""

from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import Literal

from flask import Blueprint, request, send_file
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_core import export_products
from inventory_web.audit.log import Event, current_author, current_filter, log_event
from inventory_web.blueprints.catalog.list_query import ListQuery
from inventory_web.context import current_inventory
from inventory_web.i18n.languages import current_language
from inventory_web.roles import Role, requires

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
}


def add_routes(blueprint: Blueprint) -> None:
    """Add ``GET /inventory/export.xlsx`` and ``GET /inventory/export.csv``."""
    blueprint.add_url_rule("/inventory/export.xlsx", "workbook", workbook)
    blueprint.add_url_rule("/inventory/export.csv", "table", table)


@requires(Role.VIEWER)
def workbook() -> Response:
    """Return the list as a workbook."""
    return _download("xlsx")


@requires(Role.VIEWER)
def table() -> Response:
    """Return the list as CSV."""
    return _download("csv")


def file_name(kind: str) -> str:
    """Return the file name, with the date."""
    word = gettext("inventario")
    return f"{word}-{current_inventory().clock():%Y-%m-%d}.{kind}"


def _download(kind: Literal["xlsx", "csv"]) -> Response:
    query = ListQuery.read(request.args)
    with ExitStack() as until_sent:
        target = until_sent.enter_context(TemporaryFile())
        stock, name, author = current_inventory(), file_name(kind), current_author()
        rows = export_products(stock, query.products, target, kind, language=current_language(), sort=query.sort)
        target.seek(0)
        response = send_file(target, TYPES[kind], as_attachment=True, download_name=name)
        response.call_on_close(until_sent.pop_all().close)
        # Not on close: if the server sends the file itself, the response is not closed in time.
        log_event(stock, Event.EXPORTED, by=author, subject=name, rows=rows, format=kind, filter=current_filter())
        return response
