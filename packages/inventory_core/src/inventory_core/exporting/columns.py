"""Define the columns of an export."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Generic, TypeVar

from inventory_core.errors import Fault, InvalidInput
from inventory_core.plugins import Cell, ExportColumn
from inventory_core.results import ProductRow
from inventory_core.rules.texts import shown

Row = TypeVar("Row")

TITLES = {
    "code": {"es": "Código", "en": "Code"},
    "name": {"es": "Nombre", "en": "Name"},
    "description": {"es": "Descripción", "en": "Description"},
    "category": {"es": "Categoría", "en": "Category"},
    "location": {"es": "Ubicación", "en": "Location"},
    "quantity": {"es": "Cantidad", "en": "Quantity"},
    "minimum": {"es": "Mínimo", "en": "Minimum"},
    "retired": {"es": "Eliminado", "en": "Retired"},
    "changed": {"es": "Último cambio", "en": "Last change"},
}
"""The header of each field by language; ``importing.reader`` accepts all of them."""

LANGUAGES = ("es", "en")
YES_NO = {"es": ("sí", "no"), "en": ("yes", "no")}
WIDTHS = {"code": 18, "name": 40, "description": 50, "category": 18, "location": 20, "changed": 20}

Text = TypeVar("Text")


@dataclass(frozen=True, slots=True)
class FileColumn(Generic[Row]):
    """A column: its header, its value for a row, its width in characters."""

    header: str
    value: Callable[[Row], Cell]
    width: int = 12


def product_columns(
    language: str, further: Iterable[ExportColumn] = (), *, with_location: bool = False
) -> Sequence[FileColumn[ProductRow]]:
    """Return the columns of an export of products; with a location, ``quantity`` is the quantity there.

    Raises ``InvalidInput`` for a language that is not in ``LANGUAGES``, ``ValueError`` for two columns with the same header.
    """
    yes, no = _in(language, YES_NO)
    fields = ["code", "name", "description", "category", "quantity", "minimum", "retired", "changed"]
    if with_location:
        fields.insert(4, "location")
    special: dict[str, Callable[[ProductRow], Cell]] = {
        "retired": lambda row: yes if row.retired else no,
        "changed": attrgetter("changed_at"),
    }
    columns = [_column(field, language, special.get(field, attrgetter(field))) for field in fields]
    columns += [FileColumn(column.header, column.value, column.width) for column in further]
    headers = [column.header for column in columns]
    if doubled := {header for header in headers if headers.count(header) > 1}:
        raise ValueError(f"more than one column of the export is called {min(doubled)!r}")
    return columns


def stock_columns(language: str) -> Sequence[FileColumn[object]]:
    """Return the columns of an export of balances: one row for each product and location."""
    return [_column(field, language, attrgetter(field)) for field in ("code", "name", "location", "quantity")]


def _column(field: str, language: str, value: Callable[[Row], Cell]) -> FileColumn[Row]:
    return FileColumn(_in(language, TITLES[field]), value, WIDTHS.get(field, 12))


def _in(language: str, texts: dict[str, Text]) -> Text:
    if language not in texts:
        raise InvalidInput(Fault("language", "unknown", shown(language)))
    return texts[language]
