"""The filtered list as a download, through a temporary file, so that memory stays the same however long it is."""

import tempfile
from datetime import date
from typing import Literal

from flask import Blueprint, request, send_file
from flask_babel import get_locale
from werkzeug.wrappers import Response

from inventory_core.exports.exporting import export_products
from inventory_web.current import the_inventory
from inventory_web.list_query import ListQuery

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
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
    # Closed by the response, once it is sent; a failure before that is closed here.
    target = tempfile.TemporaryFile()
    try:
        export_products(the_inventory(), query.products, target, kind, language=_language(), sort=query.sort)
        target.seek(0)
        name = f"inventario-{date.today():%Y-%m-%d}.{kind}"
        return send_file(target, TYPES[kind], as_attachment=True, download_name=name)
    except BaseException:
        target.close()
        raise


def _language() -> str:
    locale = get_locale()
    return locale.language if locale else "es"
