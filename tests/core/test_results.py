"""Results are frozen, become JSON, can be pickled, and say whether they were replayed."""

import dataclasses
import json
import pickle
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pytest

import inventory_core
from inventory_core import Cursor, Inventory, SelectedProduct, Selection, SetMinimum, undo_import, undo_products_change
from inventory_core.catalog.bulk_edit import change_products
from inventory_core.records import Record
from inventory_core.testing import create_product

INPUTS_AND_PARTS = {
    "BulkEdit", "Cursor", "ExportColumn", "FileColumn", "HistoryFilter", "InstalledPlugin", "Inventory", "ProductDraft",
    "ProductFilter", "ProposedChange", "ReadWriteEngines", "SchemaChain", "SelectedProduct", "Selection", "SetCategory",
    "SetMinimum", "SetRetired", "StockChanged", "Table",
}  # fmt: skip
"""Public dataclasses that no operation or query returns."""
PUBLIC = [
    kind
    for name in inventory_core.__all__
    if isinstance(kind := getattr(inventory_core, name), type)
    and dataclasses.is_dataclass(kind)
    and name not in INPUTS_AND_PARTS
]
ACTOR = "tester"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def sample(hint: Any) -> Any:
    """A value of this type."""
    arguments = typing.get_args(hint)
    origin = typing.get_origin(hint)
    simple = {
        int: 3,
        str: "x",
        bool: True,
        datetime: NOW,
        date: NOW.date(),
        Any: "any",
        Cursor: Cursor(NOW, 5),
        float: 1.5,
    }
    if hint in simple:
        return simple[hint]
    if origin is tuple:
        return tuple(sample(part) for part in arguments if part is not Ellipsis)
    if origin in (Mapping, dict):
        return {sample(arguments[0]): sample(arguments[1])}
    if arguments:
        return sample(arguments[0])
    if dataclasses.is_dataclass(hint):
        return made(typing.cast("type", hint))
    return next(iter(hint))


def made(kind: Any) -> Any:
    """A result with a value in every field."""
    return kind(**{name: sample(hint) for name, hint in typing.get_type_hints(kind).items()})


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_a_result_is_frozen_and_becomes_json(kind: Any) -> None:
    result = made(kind)

    names = [field.name for field in dataclasses.fields(kind)]
    assert isinstance(result, Record)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(result, names[0], 1)
    described = result.as_dict()
    assert list(described) == names
    assert json.loads(json.dumps(described)) == described
    assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301 - our own result


def test_a_page_as_a_dict_has_the_text_of_its_cursor(inventory: Inventory) -> None:
    for _ in range(2):
        create_product(inventory)
    page = inventory.products(size=1)

    assert page.as_dict()["next"] == str(page.next)
    assert page.as_dict()["rows"][0]["changed_at"] == page.rows[0].changed_at.isoformat()


CSV = b"code,name,quantity\nB-1,Lamp,3\n"
OPERATIONS: dict[str, Callable[[Inventory, str], Any]] = {
    "register": lambda stock, of: stock.register("A-9", name="Mesa", quantity=2, actor=ACTOR, operation=of),
    "edit": lambda stock, of: stock.edit(
        "A-1", name="Mesa", minimum=1, category="", description="", expected_version=2, actor=ACTOR, operation=of
    ),
    "retire": lambda stock, of: stock.retire("A-1", actor=ACTOR, operation=of),
    "receive": lambda stock, of: stock.receive("A-1", 2, actor=ACTOR, operation=of),
    "issue": lambda stock, of: stock.issue("A-1", 2, actor=ACTOR, operation=of),
    "count": lambda stock, of: stock.count("A-1", 2, actor=ACTOR, operation=of),
    "undo": lambda stock, of: stock.undo(1, actor=ACTOR, operation=of),
    "bulk edit": lambda stock, of: change_products(
        stock, selection=Selection((SelectedProduct(1),)), change=SetMinimum(4), actor=ACTOR, operation=of
    ),
    "import": lambda stock, of: stock.import_file(BytesIO(CSV), filename="x.csv", actor=ACTOR, operation=of),
    "undo of a bulk edit": lambda stock, of: undo_products_change(
        stock, changed_operation="earlier-edit", actor=ACTOR, operation=of
    ),
    "undo of an import": lambda stock, of: undo_import(
        stock, import_operation="earlier-import", actor=ACTOR, operation=of
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_repeated_operation_says_that_it_was_replayed(inventory: Inventory, name: str) -> None:
    create_product(inventory, "A-1", quantity=5)
    OPERATIONS["import"](inventory, "earlier-import")
    OPERATIONS["bulk edit"](inventory, "earlier-edit")

    first = OPERATIONS[name](inventory, "again")
    second = OPERATIONS[name](inventory, "again")

    assert (first.replayed, second.replayed) == (False, True)
    assert first == second
