"""The products that are selected in the list, as its form sends them."""

import re
from collections.abc import Iterator

from flask import request
from werkzeug.datastructures import MultiDict

from inventory_core import Fault, InvalidInput, ProductRow, SelectedProduct, SelectedRows, Selection
from inventory_core import selected_rows as rows_of
from inventory_web.blueprints.catalog.list_query import ListQuery
from inventory_web.context import app_state, current_inventory, may
from inventory_web.hookspecs import SelectionAction

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
