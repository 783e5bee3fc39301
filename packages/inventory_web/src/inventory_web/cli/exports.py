"""``export``."""

from pathlib import Path

import click
from flask_babel import gettext, ngettext

from inventory_core import ExportFormat, ProductFilter, export_products
from inventory_web.cli.language import command_language
from inventory_web.cli.session import inventory_session
from inventory_web.i18n.labels import format_number
from inventory_web.settings import Settings

FORMATS: dict[str, ExportFormat] = {".xlsx": "xlsx", ".csv": "csv"}


def export_file(file: Path, *, search: str, category: str | None, status: str | None, location: str | None) -> None:
    """Write the products of the filter; the extension of the file decides the format."""
    chosen = FORMATS.get(file.suffix.lower())
    if chosen is None:
        raise click.UsageError(gettext("El nombre debe terminar en .xlsx o .csv: %(file)s", file=file.name))
    settings = Settings.from_environment()
    product_filter = ProductFilter(search=search, category=category, status=status, location=location)
    with inventory_session(settings) as inventory:
        rows = export_products(inventory, product_filter, file, chosen, language=command_language())
    click.echo(
        ngettext(
            "%(number)s producto exportado a %(file)s.",
            "%(number)s productos exportados a %(file)s.",
            rows,
            number=format_number(rows),
            file=file,
        )
    )
