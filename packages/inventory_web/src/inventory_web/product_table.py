"""One row of the product table: the list draws it, and a change of a quantity answers with it alone."""

import secrets
from dataclasses import dataclass, replace

from flask import render_template
from markupsafe import escape

from inventory_core.queries.product_details import ProductDetails
from inventory_core.queries.rows import ProductRow
from inventory_web.current import running

ROOM = 110
"""Bytes for a row's name and description; a page of 50 long rows then stays under 60 KB."""
FIELD_OF_LOCATION = '<input type=hidden name=location value="">'
SHORTEST_NAME = 24
LONGEST_CATEGORY = 32


@dataclass(frozen=True, slots=True)
class TableRow:
    """A product as the table shows it: texts cut to size, cells of further columns with their headings, and a new operation id."""

    row: ProductRow
    name: str
    description: str
    category: str
    cells: tuple[tuple[object, object], ...]
    operation: str

    @classmethod
    def of(cls, row: ProductRow) -> "TableRow":
        """Prepare a row; the longer its code and place are, the less of the other texts is shown."""
        room = ROOM - 3 * len(row.code.encode())
        if row.location is not None:
            room -= len(FIELD_OF_LOCATION) + size(row.location)
        category = cut(row.category or "—", LONGEST_CATEGORY if room > SHORTEST_NAME else LONGEST_CATEGORY // 2)
        name = cut(row.name, max(SHORTEST_NAME, room))
        description = cut(" ".join(row.description.split()), room - size(name)) if room - size(name) > 20 else ""
        cells = tuple((column.header, column.cell(row)) for column in running().product_columns)
        return cls(row, name, description, category, cells, new_row_operation())


@dataclass(frozen=True, slots=True)
class Note:
    """What the row has to say about the change that was just asked for.

    ``kind`` is ``done``, ``conflict`` or ``fault``; ``typed`` is what the person wrote, to be shown again; ``undo`` the
    movement to offer for taking back; ``places`` the balances to choose from if the product lies in several places.
    """

    kind: str
    text: str
    typed: str = ""
    undo: int | None = None
    places: tuple[tuple[str, int], ...] = ()


def new_row_operation() -> str:
    """An operation id that is short, since a page holds one for each row; 72 random bits."""
    return secrets.token_urlsafe(9)


def row_in(details: ProductDetails, location: str | None) -> ProductRow:
    """The product as a list of that place shows it; of all places if None."""
    if location is None:
        return details.row
    return replace(details.row, location=location, quantity=dict(details.balances).get(location, 0))


def render_row(row: ProductRow, note: Note | None = None) -> str:
    """The ``<tr>`` of one product."""
    return render_template("product_table/answer.html", item=TableRow.of(row), note=note)


def cut(text: str, room: int) -> str:
    """The text, or as much of it as fits into ``room`` bytes of HTML, with an ellipsis."""
    if size(text) <= room:
        return text
    room -= len("…".encode())
    used = 0
    for end, char in enumerate(text):
        used += size(char)
        if used > room:
            return text[:end].rstrip() + "…"
    return text


def size(text: str) -> int:
    """How many bytes of HTML a text takes."""
    return len(escape(text).encode())
