"""Whatever a caller passes in, a public function answers or refuses with an error of the core."""

import contextlib
import inspect
import io
import typing
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, cast

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

import inventory_core
from inventory_core import (
    MAX_QUANTITY,
    Cursor,
    Fault,
    InvalidInput,
    Inventory,
    InventoryError,
    MovementNotFound,
    ProductDraft,
    Selection,
    change_quantity,
    export_products,
    export_stock,
    parse_quantity,
    read_table,
)
from inventory_core.catalog.selection import SelectedProduct
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.texts import shown
from inventory_core.stock.operations import receive, undo_movement
from inventory_core.testing import create_product

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: function
    for name in inventory_core.__all__
    if inspect.isfunction(function := getattr(inventory_core, name))
    if next(iter(inspect.signature(function).parameters), "") == "inventory"
}

HUGE = 10**5000
ODD: tuple[object, ...] = (
    None,
    1.5,
    float("nan"),
    True,
    b"A-1",
    "A-1",
    "",
    "\ud800",
    "\x00",
    0,
    -1,
    2**63,
    HUGE,
    [],
    {},
    object(),
)
TABLE = read_table(io.BytesIO("código;nombre\nA-1;Lámpara".encode()), filename="products.csv")
DRAFTS = st.builds(
    ProductDraft,
    *(st.sampled_from(ODD) for _ in range(4)),
    minimum=st.sampled_from(ODD),
)


def usual(name: str, hint: object) -> object:
    """A value that is right for an argument of this name."""
    known: dict[str, object] = {
        "code": "A-1",
        "codes": ["A-1"],
        "actor": "ana",
        "operation": "op-1",
        "draft": ProductDraft("B-1", "Lámpara"),
        "product_filter": inventory_core.ProductFilter(),
        "selection": Selection((SelectedProduct(1),)),
        "change": inventory_core.SetMinimum(1),
        "target": io.BytesIO(),
        "format": "csv",
        "table": TABLE,
        "language": "es",
        "days": 3,
        "size": 5,
    }
    return known.get(name, 1 if hint is int else "x")


def call(function: Callable[..., Any], arguments: dict[str, object]) -> None:
    """Call it, and enter the result if it is a context manager."""
    result = function(**arguments)
    if isinstance(result, AbstractContextManager):
        with result as rows:
            list(rows)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"verify"}))
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_public_function_refuses_arguments_of_wrong_types(
    name: str, inventory: Inventory, data: st.DataObject
) -> None:
    function = FUNCTIONS[name]
    hints = typing.get_type_hints(function)
    arguments: dict[str, object] = {"inventory": inventory}
    for parameter in inspect.signature(function).parameters:
        if parameter in {"inventory", "progress", "timezone"}:
            continue
        odd = st.one_of(st.sampled_from(ODD), DRAFTS) if parameter == "draft" else st.sampled_from(ODD)
        right = st.just(usual(parameter, hints[parameter]))
        arguments[parameter] = data.draw(right if parameter == "target" else st.one_of(right, odd), parameter)
    with contextlib.suppress(InventoryError):
        call(function, arguments)


@pytest.mark.parametrize("odd", ODD, ids=lambda value: shown(value)[:20].encode("ascii", "replace").decode())
@pytest.mark.parametrize("field", ["code", "name", "description", "category", "minimum"])
def test_a_draft_of_wrong_types_says_so(field: str, odd: object) -> None:
    fields: dict[str, Any] = {"code": "A-1", "name": "Lámpara", field: odd}
    faults = ProductDraft(**fields).faults()

    assert all(fault.field == field and len(fault.value) <= 80 for fault in faults)
    assert faults or isinstance(odd, str | int) or (odd is None and field == "category")


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: inventory_core.ProductFilter(search=cast("str", None)), "search"),
        (lambda: inventory_core.ProductFilter(category=cast("str", 3)), "category"),
        (lambda: inventory_core.ProductFilter(status=cast("str", 3)), "status"),
        (lambda: inventory_core.SetCategory(cast("str", b"x")), "category"),
        (lambda: inventory_core.SetRetired(cast("bool", 1)), "retired"),
        (lambda: SelectedProduct(HUGE), "id"),
        (lambda: SelectedProduct(cast("int", 1.0)), "id"),
        (lambda: Selection(cast("tuple[SelectedProduct, ...]", ("A-1",))), "products"),
        (lambda: parse_quantity("quantity", cast("str", None)), "text"),
        (lambda: Cursor.parse(cast("str", None)), "after"),
    ],
)
def test_a_value_of_a_wrong_type_is_named_by_its_field(make: Callable[[], object], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make()

    assert [fault.field for fault in caught.value.faults] == [field]


def test_receive_and_undo_refuse_a_huge_number_as_too_large(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=3)
    with pytest.raises(InvalidInput) as received:
        receive(inventory, code="A-1", quantity=HUGE, actor="ana", operation="op-1")
    with pytest.raises(InvalidInput) as changed:
        change_quantity(inventory, code="A-1", delta=-HUGE, actor="ana", operation="op-1")

    fault = Fault("quantity", "too_large", "…", MAX_QUANTITY)
    assert received.value.faults == changed.value.faults == (fault,)
    with pytest.raises(MovementNotFound, match="…"):
        undo_movement(inventory, movement_id=HUGE, actor="ana", operation="op-1")


def test_checked_arguments_leave_other_types_alone() -> None:
    @check_arguments
    def function(number: int, ratio: float, rows: Iterable[int], way: Literal["a"] | None = None) -> object:
        return number, ratio, rows, way

    assert function(1, 2.5, [3]) == (1, 2.5, [3], None)
    with pytest.raises(TypeError, match="missing"):
        function(1)  # type: ignore[call-arg]


@pytest.mark.parametrize("format", ["pdf", "XLSX", "", None])
def test_an_export_in_an_unknown_format_is_refused_and_writes_nothing(
    inventory: Inventory,
    tmp_path: Path,
    format: str,  # noqa: A002
) -> None:
    for export in (export_products, export_stock):
        with pytest.raises(InvalidInput, match="format: unknown"):
            export(inventory, inventory_core.ProductFilter(), tmp_path / "file", cast("Any", format))

    assert not (tmp_path / "file").exists()
