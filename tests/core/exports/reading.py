"""Exports, read back as another program would."""

import io
import zipfile
from typing import Any

from python_calamine import CalamineWorkbook

from inventory_core import ExportColumn, Inventory, build_plugin_manager, export_products, hookimpl
from inventory_core.queries.product_query.filters import ProductFilter


class Colour:
    """Adds a column that says whether there is anything left, and one with odd values."""

    @hookimpl
    def export_columns(self) -> list[ExportColumn]:
        return [
            ExportColumn("Estado", lambda row: "queda" if row.quantity else "=NADA"),
            ExportColumn("Por comprar", lambda row: row.to_buy or None, 30),
        ]


def with_plugins(inventory: Inventory, *plugins: object) -> Inventory:
    return Inventory(inventory.sessions, build_plugin_manager(plugins))


def exported(inventory: Inventory, product_filter: ProductFilter | None = None, **options: Any) -> bytes:
    """The XLSX of a filter, as bytes."""
    file = io.BytesIO()
    export_products(inventory, product_filter or ProductFilter(), file, "xlsx", **options)
    return file.getvalue()


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    """The cells of every sheet."""
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
        return {name: workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names}


def member(content: bytes, name: str) -> str:
    """The XML of one member."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name).decode()
