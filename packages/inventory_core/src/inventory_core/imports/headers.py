"""Which column is which: headers in Spanish or English, however they are accented or capitalised."""

from collections.abc import Mapping, Sequence

from inventory_core.errors import FileRefused
from inventory_core.exports.columns import TITLES
from inventory_core.rules.texts import fold, normalize_line

OTHER_NAMES = {
    "code": ("sku", "referencia", "reference", "ref"),
    "name": ("producto", "product"),
    "location": ("lugar", "almacen", "place", "warehouse"),
    "quantity": ("existencias", "stock", "qty"),
    "retired": ("retirado",),
    "minimum": ("stock minimo", "cantidad minima", "minimum stock", "minimum quantity"),
}
STOCK_FIELDS = ("code", "location", "quantity")
FIELDS: Mapping[str, str] = {
    **{fold(title): field for field, titles in TITLES.items() for title in titles.values()},
    **{fold(name): field for field, names in OTHER_NAMES.items() for name in names},
}
"""The field behind each folded header."""


def find_fields(headers: Sequence[str]) -> dict[str, int]:
    """The column of each known field; without a ``name`` the file only sets balances, and nothing else of it is read.

    Raises ``FileRefused``: ``doubled_column`` for two columns of one field, ``missing_column`` if a column is missing without
    which nothing can be imported: ``code``, and then ``name`` or both ``location`` and ``quantity``.
    """
    places: dict[str, int] = {}
    for place, header in enumerate(headers):
        field = FIELDS.get(fold(normalize_line(header)))
        if field is None:
            continue
        if field in places:
            raise FileRefused("doubled_column", header)
        places[field] = place
    if missing := _missing(places):
        raise FileRefused("missing_column", missing)
    return places if "name" in places else {field: places[field] for field in STOCK_FIELDS}


def _missing(places: Mapping[str, int]) -> str | None:
    if "code" not in places:
        return "code"
    if "name" in places:
        return None
    if "location" in places:
        return None if "quantity" in places else "quantity"
    return "name"
