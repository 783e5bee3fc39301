"""The list of products: its query, its table, the selection in it, and the list of what to buy."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from flask import Blueprint, render_template, request
from flask_babel import gettext
from markupsafe import Markup, escape
from werkzeug.datastructures import MultiDict

from inventory_core import (
    PRODUCT_SORTS,
    Cursor,
    Fault,
    InvalidInput,
    Inventory,
    ProductDetails,
    ProductFilter,
    ProductPage,
    ProductRow,
    SelectedProduct,
    SelectedRows,
    Selection,
    Status,
    count_products,
)
from inventory_core import selected_rows as rows_of
from inventory_web.context import app_state, current_inventory, may
from inventory_web.db.units_of_work import reads_once
from inventory_web.hookspecs import SelectionAction
from inventory_web.http.template_context import menu_badges
from inventory_web.http.urls import address_of_codes, read_cursor
from inventory_web.i18n.labels import (
    QuantityLabels,
    format_number,
    products_text,
    quantity_labeler,
    status_colour,
    status_text,
)
from inventory_web.roles import Role, requires

LONGEST_SEARCH = 200
MOST_COUNTED = 1_000
MOST_FOUND = 100
"""Maximum count for a search; lower than without a search, because the text of each product must be read."""
DEFAULT_SORT = "name"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The query of the list, its exports and its links."""

    products: ProductFilter
    sort: str = DEFAULT_SORT
    after: Cursor | None = None

    @classmethod
    def read(cls, fields: Mapping[str, str], *, status: str | None = None) -> Self:
        """Read ``search``, ``category``, ``status``, ``location``, ``sort`` and ``after``; ``status`` wins over the query.

        An unknown order is ignored. Raises ``InvalidInput`` for an unknown status, which would otherwise look like a filtered list,
        and for an invalid ``after``.
        """
        products = ProductFilter(
            search=" ".join(fields.get("search", "").split())[:LONGEST_SEARCH],
            category=fields.get("category", "").strip(),
            status=status or fields.get("status", "").strip(),
            location=fields.get("location", "").strip(),
        )
        sort = fields.get("sort", DEFAULT_SORT)
        sort = sort if sort in PRODUCT_SORTS else DEFAULT_SORT
        return cls(products, sort, read_cursor(fields))

    @property
    def filtered(self) -> bool:
        """Return whether there is a filter."""
        return any(self.filter_args().values())

    def filter_args(self) -> dict[str, str]:
        """Return the filter as URL arguments; empty parts are left out."""
        parts = {
            "search": self.products.search,
            "category": self.products.category,
            "status": self.products.status,
            "location": self.products.location,
        }
        return {name: str(value) for name, value in parts.items() if value}

    def args(self, *, sort: str | None = None, after: Cursor | None = None) -> dict[str, Any]:
        """Return the arguments of a link to the list in the order of ``sort``, starting after ``after``."""
        arguments: dict[str, Any] = self.filter_args()
        if (sort or self.sort) != DEFAULT_SORT:
            arguments["sort"] = sort or self.sort
        if after is not None:
            arguments["after"] = str(after)
        return arguments

    def turned(self, column: str) -> str:
        """Return the ``sort`` for a click on the heading of ``column``."""
        return f"-{column}" if self.sort == column else column


def read_list(inventory: Inventory, query: ListQuery) -> ProductPage:
    """Read the requested page, and count the list as far as the heading needs it."""
    most = MOST_FOUND if query.products.search else MOST_COUNTED
    return inventory.products(query.products, sort=query.sort, after=query.after, count_up_to=most)


def found_text(page: ProductPage) -> str:
    """Return the number of products for the heading; empty if they were not counted."""
    if page.count is None:
        return ""
    if page.count.more:
        return gettext("Más de %(number)s productos", number=format_number(page.count.number))
    return products_text(page.count.number)


_PRODUCT = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})", re.ASCII)


def selection_actions(*, retired: bool) -> list[SelectionAction]:
    """Return the actions that the user may do with a selection of active or of ``retired`` products, in order."""
    answers = app_state().hooks.hook.selection_actions()
    allowed = [action for actions in answers for action in actions if may(action.role)]
    fitting = [action for action in allowed if action.retired in (None, retired)]
    return sorted(fitting, key=lambda action: action.order)


def product_key(row: ProductRow) -> str:
    """Return the value of the row's checkbox: the product, and the version that the user sees."""
    return f"{row.id}.{row.version}"


def read_selection(given: MultiDict[str, str] | None = None) -> Selection:
    """Return the selection in ``given``, by default in the form of this request.

    Fields: ``p`` for each product (see ``product_key``), or ``all`` with the filter of the list (``search``, ``category``,
    ``status``, ``location``) and, if the user has seen a count, ``found``. Raises ``InvalidInput`` if the selection is empty,
    invalid or too large.
    """
    fields = request.form if given is None else given
    if fields.get("all"):
        seen = fields.get("found", "")
        number = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else None
        return Selection(filter=ListQuery.read(fields).products, expected_count=number)
    return Selection(tuple(_products(fields.getlist("p"))))


def selected_rows(size: int) -> SelectedRows:
    """Return the first ``size`` products (at most 500) of the selection of this request, and the total number."""
    sort = ListQuery.read(request.form).sort
    return rows_of(current_inventory(), read_selection(), size=size, sort=sort)


def sent_fields(selection: Selection) -> list[tuple[str, str]]:
    """Return the fields that send this selection again."""
    if selection.filter is None:
        return [("p", f"{product.id}.{product.expected_version}") for product in selection.products]
    fields = {"all": "1", **ListQuery(selection.filter).filter_args()}
    if selection.expected_count is not None:
        fields["found"] = str(selection.expected_count)
    return list(fields.items())


def _products(values: list[str]) -> Iterator[SelectedProduct]:
    for value in values:
        match = _PRODUCT.fullmatch(value)
        if match is None:
            raise InvalidInput(Fault("selection", "unknown", value[:80]))
        yield SelectedProduct(int(match[1]), int(match[2]))


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


LARGEST_BADGE = 99

low_stock_blueprint = Blueprint("low_stock", __name__, template_folder="templates")


@low_stock_blueprint.get("/low-stock")
@requires(Role.VIEWER)
@reads_once
def to_buy() -> str:
    """Show the shopping list."""
    query = ListQuery.read(request.args, status=Status.LOW_STOCK)
    page = read_list(current_inventory(), query)

    def page_args(after: Cursor | None = None) -> dict[str, Any]:
        arguments = query.args(after=after)
        return {name: value for name, value in arguments.items() if name != "status"}

    return render_template("low_stock/to_buy.html", page=page, query=query, page_args=page_args, found=found_text(page))


def how_many() -> str:
    """Return the badge of the menu entry; empty if nothing is low."""
    found = count_products(current_inventory(), ProductFilter(status=Status.LOW_STOCK), cap=LARGEST_BADGE)
    return f"{found.number}+" if found.more else str(found.number or "")
