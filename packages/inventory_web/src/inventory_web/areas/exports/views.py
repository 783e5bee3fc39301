"""The filtered list as a download, through a temporary file, so that memory stays the same however long it is."""

from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import Literal

from flask import Blueprint, request, send_file
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_core.exports.exporting import export_products
from inventory_web.current import the_inventory
from inventory_web.language import the_language
from inventory_web.list_query import ListQuery

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
}

blueprint = Blueprint("exports", __name__)


@blueprint.get("/inventory/export.xlsx")
def workbook() -> Response:
    """The list as a workbook."""
    return _download("xlsx")


@blueprint.get("/inventory/export.csv")
def table() -> Response:
    """The list as comma-separated values."""
    return _download("csv")


def _download(kind: Literal["xlsx", "csv"]) -> Response:
    query = ListQuery.read(request.args)
    with ExitStack() as until_sent:
        target = until_sent.enter_context(TemporaryFile())
        export_products(the_inventory(), query.products, target, kind, language=the_language(), sort=query.sort)
        target.seek(0)
        word = gettext("inventario")
        name = f"{word}-{the_inventory().clock():%Y-%m-%d}.{kind}"
        response = send_file(target, TYPES[kind], as_attachment=True, download_name=name)
        response.call_on_close(until_sent.pop_all().close)
        return response
