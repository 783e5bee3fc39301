"""One row of the product table, for the list and for the response to a changed quantity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from flask import render_template
from markupsafe import Markup, escape

from inventory_core import ProductDetails, ProductRow, Status
from inventory_web.blueprints.catalog.selection import product_key, selection_actions
from inventory_web.context import app_state, may
from inventory_web.http.template_context import menu_badges
from inventory_web.http.url_converters import address_of_codes
from inventory_web.i18n.labels import QuantityLabels, quantity_labeler, status_colour, status_text
from inventory_web.roles import Role


@dataclass(frozen=True, slots=True)
class TableRow:
    """A product as the table shows it.

    ``key`` is the value of the checkbox, empty if nothing can be done with a selection. ``details`` is the address of the
    product, ``change`` that of the quantity form, None if the user may not change it, and ``labels`` name its controls.
    ``cells`` are those of further columns, each with its heading.
    """

    row: ProductRow
    key: str
    status: str
    colour: str
    details: str
    change: str | None
    labels: QuantityLabels
    cells: tuple[tuple[Markup, object], ...]


def table_rows(rows: Iterable[ProductRow]) -> list[TableRow]:
    """Return the rows for the template; what all rows of a page share is computed once."""
    details, change = address_of_codes("products.details"), address_of_codes("counting.change")
    statuses = {status: (status_text(status), status_colour(status)) for status in Status}
    columns = [(escape(column.header), column.cell) for column in app_state().product_columns]
    changeable, labels = may(Role.OPERATOR), quantity_labeler()
    selectable = {retired: bool(selection_actions(retired=retired)) for retired in (False, True)}

    def prepared(row: ProductRow) -> TableRow:
        status, colour = statuses[row.status]
        return TableRow(
            row=row,
            key=product_key(row) if selectable[row.retired] else "",
            status=status,
            colour=colour,
            details=details(row.code),
            change=change(row.code) if changeable and not row.retired else None,
            labels=labels(row.code),
            cells=tuple((heading, cell(row)) for heading, cell in columns),
        )

    return [prepared(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Note:
    """What the row says about the change that was just requested.

    ``kind`` is ``done``, ``conflict`` or ``fault``; ``typed`` is what the user wrote, to be shown again; ``undo`` the
    movement that can be undone; ``places`` the balances to choose from if the product is in several places.
    """

    kind: str
    text: str
    typed: str = ""
    undo: int | None = None
    places: tuple[tuple[str, int], ...] = ()


def row_in(details: ProductDetails, location: str | None) -> ProductRow:
    """Return the product as a list of that place shows it; of all places if None."""
    if location is None:
        return details.row
    return replace(details.row, location=location, quantity=dict(details.balances).get(location, 0))


def render_row(row: ProductRow, note: Note | None = None, badges: Mapping[str, str] | None = None) -> str:
    """Return the ``<tr>`` of one product, and the badges of the menu; those of now if ``badges`` does not have them."""
    values = {"item": table_rows([row])[0], "note": note, "badges": menu_badges() if badges is None else badges}
    return render_template("product_table/answer.html", **values)
