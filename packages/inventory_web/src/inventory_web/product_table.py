"""One row of the product table: the list draws it, and a change of a quantity answers with it alone."""

import secrets
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from flask import render_template, url_for
from markupsafe import Markup, escape

from inventory_core import ProductDetails, ProductRow, Status
from inventory_web.codes_in_urls import address_of_codes
from inventory_web.current import may, running
from inventory_web.messages import number
from inventory_web.roles import Role
from inventory_web.security import csrf_token
from inventory_web.selection import product_key, selection_actions
from inventory_web.statuses import status_colour, status_text

ROOM = 110
"""Bytes for a row's name and description; a page of 50 long rows then stays under 60 KB."""
FIELD_OF_LOCATION = '<input type=hidden name=location value="">'
SHORTEST_NAME = 12
LONGEST_CATEGORY = 28
LONGEST_CODE = 24
"""A row with a longer code names its product by its id in the address of its form."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A product as the table shows it, in the texts that its template only has to put side by side.

    ``key`` is the value of the checkbox, empty where nothing can be done with a selection. ``change`` is where the form of
    the quantity goes, None for who may not change it. ``cells`` are those of further columns, each with its heading;
    ``operation`` is a new operation id, ``token`` the form's CSRF token.
    """

    row: ProductRow
    key: str
    name: str
    description: str
    category: str
    minimum: str
    status: str
    colour: str
    details: str
    change: str | None
    cells: tuple[tuple[Markup, object], ...]
    operation: str
    token: str


def table_rows(rows: Iterable[ProductRow]) -> list[TableRow]:
    """Prepare rows for their template; what all rows of a page share is asked for once."""
    details, change = address_of_codes("products.details"), address_of_codes("counting.change")
    statuses = {status: (status_text(status), status_colour(status)) for status in Status}
    columns = [(escape(column.header), column.cell) for column in running().product_columns]
    token, changeable = csrf_token(), may(Role.OPERATOR)
    selectable = {retired: bool(selection_actions(retired=retired)) for retired in (False, True)}

    def prepared(row: ProductRow) -> TableRow:
        name, description, category = _cut_to_size(row)
        status, colour = statuses[row.status]
        return TableRow(
            row=row,
            key=product_key(row) if selectable[row.retired] else "",
            name=name,
            description=description,
            category=category,
            minimum=number(row.minimum),
            status=status,
            colour=colour,
            details=details(row.code),
            change=_change(row, change) if changeable and not row.retired else None,
            cells=tuple((heading, cell(row)) for heading, cell in columns),
            operation=new_row_operation(),
            token=token,
        )

    return [prepared(row) for row in rows]


def _change(row: ProductRow, of_code: Callable[[str], str]) -> str:
    return of_code(row.code) if len(row.code) <= LONGEST_CODE else url_for("counting.change_by_id", product_id=row.id)


def _cut_to_size(row: ProductRow) -> tuple[str, str, str]:
    """Name, description and category; the longer the code and the place are, the less of these is shown."""
    room = ROOM - 3 * len(row.code.encode())
    if row.location is not None:
        room -= len(FIELD_OF_LOCATION) + size(row.location)
    category = cut(row.category or "—", LONGEST_CATEGORY if room > SHORTEST_NAME else LONGEST_CATEGORY // 2)
    name = cut(row.name, max(SHORTEST_NAME, room))
    left = room - size(name)
    return name, cut(" ".join(row.description.split()), left) if left > 20 else "", category


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
    return render_template("product_table/answer.html", item=table_rows([row])[0], note=note)


def cut(text: str, room: int) -> str:
    """The text, or as much of it as fits into ``room`` bytes of HTML, with an ellipsis."""
    if size(text) <= room:
        return text
    room -= len("…".encode())
    lengths = range(min(len(text), max(room, 0)) + 1)
    longest = bisect_right(lengths, room, key=lambda length: size(text[:length])) - 1
    return text[: max(longest, 0)].rstrip() + "…"


def size(text: str) -> int:
    """How many bytes of HTML a text takes."""
    return len(escape(text).encode())
