"""The exports: the rows of a filter, written to a file that appears only when it is complete."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Literal, TypeVar

from xlsxwriter.exceptions import XlsxFileError

from inventory_core.context import InventoryContext
from inventory_core.errors import StorageRefused
from inventory_core.exporting.columns import product_columns, stock_columns
from inventory_core.exporting.writers import ROWS_PER_SHEET, write_csv, write_workbook
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.queries.products import stock_levels, stream_products
from inventory_core.results import ProductRow
from inventory_core.rules.arguments import check_arguments

T = TypeVar("T")
R = TypeVar("R")

ExportFormat = Literal["xlsx", "csv"]
ROWS_BETWEEN_REPORTS = 500
TITLES = {"products": {"es": "Productos", "en": "Products"}, "stock": {"es": "Existencias", "en": "Stock"}}


@check_arguments
def export_products(
    inventory: InventoryContext,
    product_filter: ProductFilter,
    target: Path | BinaryIO,
    format: ExportFormat,  # noqa: A002
    *,
    language: str = "es",
    sort: str = "code",
    rows_per_sheet: int = ROWS_PER_SHEET,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write every product of the filter; return the number of rows.

    With a location in the filter the file has a column for it, and the quantity is the one there. Columns of plugins
    (``export_columns``) come last. The file at a path is replaced when the new one is complete; a failed export leaves the old
    one. Uses constant memory. Calls ``progress`` with the number of finished rows; it cancels by raising. Its errors and those of
    plugins' columns are not wrapped. Raises ``StorageRefused`` if the file cannot be written, ``InvalidInput`` for another format
    or a language other than ``es`` and ``en``, and ``ValueError`` for two columns with the same header.
    """
    further = [
        replace(column, value=_carrying(column.value))
        for columns in inventory.plugins.hook.export_columns()
        for column in columns
    ]
    report = None if progress is None else _carrying(progress)
    columns = product_columns(language, further, with_location=bool(product_filter.location))

    def write(scratch: Path) -> int:
        with stream_products(inventory, product_filter, sort) as found:
            rows = found if report is None else _counted(found, report)
            if format == "csv":
                with (scratch / "export").open("wb") as file:
                    return write_csv(file, columns, rows)
            title = TITLES["products"][language]
            return write_workbook(
                scratch / "export", columns, rows, title=title, scratch=scratch, rows_per_sheet=rows_per_sheet
            )

    return _deliver(target, write)


@check_arguments
def export_stock(
    inventory: InventoryContext,
    product_filter: ProductFilter,
    target: Path | BinaryIO,
    format: ExportFormat,  # noqa: A002
    *,
    language: str = "es",
) -> int:
    """Write the balance of each product of the filter at each location, by code; otherwise like ``export_products``."""
    columns = stock_columns(language)

    def write(scratch: Path) -> int:
        with stock_levels(inventory, product_filter) as rows:
            if format == "csv":
                with (scratch / "export").open("wb") as file:
                    return write_csv(file, columns, rows)
            return write_workbook(scratch / "export", columns, rows, title=TITLES["stock"][language], scratch=scratch)

    return _deliver(target, write)


def _counted(rows: Iterator[ProductRow], progress: Callable[[int], None]) -> Iterator[ProductRow]:
    for number, row in enumerate(rows, start=1):
        if number % ROWS_BETWEEN_REPORTS == 0:
            progress(number)
        yield row


def _deliver(target: Path | BinaryIO, write: Callable[[Path], int]) -> int:
    """Write the file ``export`` in a temporary folder with ``write``, and deliver it when it is complete."""
    folder_of_target = target.resolve().parent if isinstance(target, Path) else None
    with _storage(), TemporaryDirectory(prefix=".inventory-export-", dir=folder_of_target) as folder:
        made = Path(folder, "export")
        number = write(made.parent)
        if isinstance(target, Path):
            _make_durable(made)
            made.replace(target.resolve())
        else:
            with made.open("rb") as file:
                shutil.copyfileobj(file, target, 1 << 20)
    return number


class _CalledFailed(Exception):
    """Wraps an error of a plugin or of the caller, to distinguish it from errors of the file."""

    def __init__(self, error: OSError) -> None:
        self.error = error


def _carrying(function: Callable[[T], R]) -> Callable[[T], R]:
    def called(argument: T) -> R:
        try:
            return function(argument)
        except OSError as error:
            raise _CalledFailed(error) from error

    return called


def _make_durable(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _storage() -> Iterator[None]:
    try:
        yield
    except _CalledFailed as failed:
        raise failed.error from failed.error.__cause__
    except XlsxFileError as error:
        raise StorageRefused(_reason(error.args[0] if error.args else error)) from error
    except OSError as error:
        raise StorageRefused(_reason(error)) from error


def _reason(error: object) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"the file cannot be written: {error.strerror}"
    return f"the file cannot be written: {error}"
