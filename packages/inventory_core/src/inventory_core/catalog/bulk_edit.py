"""Change many products in one operation, all or nothing, and undo it as a whole."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from inventory_core.catalog.categories import find_or_add_category
from inventory_core.catalog.selection import LockedProduct, Selection, lock_many, lock_selected
from inventory_core.context import InventoryContext
from inventory_core.database.sql_batch import BULK_CACHE_KIBIBYTES, insert_rows, page_cache, set_by_id, stored_time
from inventory_core.errors import CannotUndo, ChangedProduct, Fault, InvalidInput, MovementNotFound, ProductsConflict
from inventory_core.models import CATEGORY, IMPORT_CHANGE, OPERATION, OPERATION_RESULT, PRODUCT
from inventory_core.records import Record
from inventory_core.rules.arguments import check_arguments, request_faults, require_types
from inventory_core.rules.products import category_faults
from inventory_core.rules.stock import quantity_faults
from inventory_core.rules.texts import normalize_line, replace_surrogates, search_text
from inventory_core.stock.idempotency import UnitOfWork, run_idempotent

TEXT_BATCH_SIZE = 500
"""Products whose texts are in memory at the same time."""
_NEXT_VERSION = "version = version + 1, changed_at = ?"
# Locking reads see what is committed now, whatever snapshot the unit has.
_TEXTS = (
    select(PRODUCT.c.id, PRODUCT.c.code, PRODUCT.c.name, PRODUCT.c.description)
    .where(PRODUCT.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update()
)
_CATEGORIES = (
    select(CATEGORY.c.id, CATEGORY.c.name)
    .where(CATEGORY.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update(read=True)
)
CHANGE, UNDO = "change_many", "undo_many"
_FIRST = (
    select(OPERATION.c.operation_type, OPERATION_RESULT.c.result)
    .join(OPERATION_RESULT, OPERATION_RESULT.c.operation_id == OPERATION.c.id)
    .where(OPERATION.c.id == bindparam("of"))
)
# A locking read sees what is committed now, whatever snapshot the session has.
_UNDONE = (
    select(OPERATION_RESULT.c.operation_id)
    .where(OPERATION_RESULT.c.undoes_id == bindparam("of"))
    .with_for_update(read=True)
)


@dataclass(frozen=True, slots=True)
class SetCategory:
    """The category by its name, which is created if it is new; None or "" removes the category."""

    category: str | None

    def __post_init__(self) -> None:
        require_types(self)
        object.__setattr__(self, "category", normalize_line(self.category or "") or None)

    def faults(self) -> list[Fault]:
        """Return what is wrong with the name."""
        return category_faults(self.category)

    def fingerprint_fields(self) -> dict[str, Any]:
        """Return the change in JSON values."""
        return {"category": self.category}


@dataclass(frozen=True, slots=True)
class SetMinimum:
    """The minimum, in units."""

    minimum: int

    def faults(self) -> list[Fault]:
        """Return what is wrong with the number."""
        return quantity_faults("minimum", self.minimum)

    def fingerprint_fields(self) -> dict[str, Any]:
        """Return the change in JSON values."""
        return {"minimum": self.minimum}


@dataclass(frozen=True, slots=True)
class SetRetired:
    """Whether the products are retired."""

    retired: bool

    def __post_init__(self) -> None:
        require_types(self)

    def faults(self) -> list[Fault]:
        """Return no faults: a flag is always valid."""
        return []

    def fingerprint_fields(self) -> dict[str, Any]:
        """Return the change in JSON values."""
        return {"retired": self.retired}


BulkEdit = SetCategory | SetMinimum | SetRetired


def set_values(unit: UnitOfWork, column: str, values: Sequence[tuple[int, Any]]) -> None:
    """Set ``category_id``, ``minimum`` or ``retired_at`` of locked products, as pairs of id and JSON value.

    Increments the versions, and updates the search text if the category changes.
    """
    if column == "retired_at":
        values = [
            (row_id, stored_time(unit.connection, datetime.fromisoformat(value) if value else None))
            for row_id, value in values
        ]
    values_of_all = (stored_time(unit.connection, unit.at),)
    set_by_id(unit.connection, PRODUCT, column, values, besides=_NEXT_VERSION, values_of_all=values_of_all)
    if column == "category_id":
        categories = dict(values)
        names = category_names(unit, {category_id for category_id in categories.values() if category_id is not None})
        for batch in _batches(list(categories)):
            set_by_id(unit.connection, PRODUCT, "search_text", list(_search_texts(unit, batch, categories, names)))


def _search_texts(
    unit: UnitOfWork, ids: Sequence[int], categories: Mapping[int, int | None], names: Mapping[int, str]
) -> Iterator[tuple[int, str]]:
    for row_id, code, name, description in unit.connection.execute(_TEXTS, {"ids": ids}):
        category_id = categories[row_id]
        yield row_id, search_text(code, name, description, "" if category_id is None else names[category_id])


def category_names(unit: UnitOfWork, ids: set[int]) -> dict[int, str]:
    """Return the names of these categories by id."""
    return {record[0]: record[1] for record in unit.connection.execute(_CATEGORIES, {"ids": sorted(ids)})}


def _batches(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + TEXT_BATCH_SIZE] for start in range(0, len(ids), TEXT_BATCH_SIZE))


@dataclass(frozen=True, slots=True)
class ProductsSaved(Record):
    """The result of ``operation``: how many products it ``changed``, and how many were already so.

    ``retired`` is True or False if it retired or restored them.
    """

    operation: str
    changed: int
    unchanged: int
    retired: bool | None = None
    replayed: bool = field(default=False, compare=False)


class _Former(NamedTuple):
    """The former values of a product, in JSON, and the version that the change gave it."""

    id: int
    version: int
    value: Any


class _Outcome(NamedTuple):
    """The result, and the data for an undo."""

    saved: ProductsSaved
    column: str
    former: list[_Former]


@check_arguments
def change_products(
    inventory: InventoryContext, *, selection: Selection, change: BulkEdit, actor: str, operation: str
) -> ProductsSaved:
    """Set one category or minimum on every product of the selection, or retire or restore them all.

    The result is that of separate changes: versions grow by one, and a product that already has the value stays as it is. All or
    nothing, in one transaction that locks the products by ascending id and evaluates a filter under these locks.

    Raises ``InvalidInput`` (also for more than ``MAX_SELECTED_PRODUCTS`` products), ``ProductsConflict`` with every product that
    was edited since it was seen or is retired and must not be, ``SelectionChanged`` if the filter matches another number of
    products than expected, or ``OperationReused``.
    """
    if faults := [*change.faults(), *request_faults(operation, normalize_line(actor))]:
        raise InvalidInput(*faults)

    def work(unit: UnitOfWork) -> _Outcome:
        selected = lock_selected(unit, selection)
        with page_cache(unit.connection, BULK_CACHE_KIBIBYTES, raise_heap_limit=True):
            former = _change(unit, selected, change)
        retired = change.retired if isinstance(change, SetRetired) else None
        saved = ProductsSaved(unit.operation, len(former), len(selected) - len(former), retired)
        return _Outcome(saved, _column(change), former)

    return run_idempotent(
        inventory,
        operation=operation,
        operation_type=CHANGE,
        actor=actor,
        request={"selection": _selection_fields(selection), "change": change.fingerprint_fields()},
        work=work,
        encode=lambda outcome: _encoded(outcome.saved) | {"column": outcome.column, "former": outcome.former},
        decode=lambda kept: _Outcome(_decoded(kept), kept["column"], kept["former"]),
    ).saved


@check_arguments
def undo_products_change(
    inventory: InventoryContext, *, changed_operation: str, actor: str, operation: str
) -> ProductsSaved:
    """Restore the former value of every product that ``change_products`` changed under that operation id.

    All or nothing. Raises ``CannotUndo`` (``edited_since`` with the code of a product that was edited in between;
    ``already_undone``; ``changed_nothing``; ``is_undo``), ``MovementNotFound`` if there was no such change, or ``OperationReused``.
    """

    def work(unit: UnitOfWork) -> ProductsSaved:
        kept = _read_change(unit, changed_operation)
        former = [_Former(*each) for each in kept["former"]]
        selected = lock_many(unit, [each.id for each in former])
        # Of two simultaneous undos, the second one waits for the products.
        if unit.connection.scalar(_UNDONE, {"of": changed_operation}) is not None:
            raise CannotUndo("already_undone")
        for product, each in zip(selected, former, strict=True):
            if product.version != each.version:
                raise CannotUndo("edited_since", product.code)
        with page_cache(unit.connection, BULK_CACHE_KIBIBYTES, raise_heap_limit=True):
            set_values(unit, kept["column"], [(each.id, each.value) for each in former])
            present = [
                _Former(product.id, product.version + 1, _present(product, kept["column"])) for product in selected
            ]
            _note_for_history(unit, kept["column"], present)
        unit.undone.add(changed_operation)
        retired = any(each.value is not None for each in former) if kept["column"] == "retired_at" else None
        return ProductsSaved(unit.operation, len(former), 0, retired)

    return run_idempotent(
        inventory,
        operation=operation,
        operation_type=UNDO,
        actor=actor,
        request={"change": changed_operation},
        work=work,
        encode=_encoded,
        decode=_decoded,
    )


def _change(unit: UnitOfWork, selected: Sequence[LockedProduct], change: BulkEdit) -> list[_Former]:
    """Write the change; return the former values of the products that it changed."""
    refused = [product for product in selected if _refuses(product, change)]
    if refused:
        raise ProductsConflict(_as_they_are(unit, refused))
    column = _column(change)
    value: Any
    if isinstance(change, SetCategory):
        value = find_or_add_category(unit, change.category)[0]
    elif isinstance(change, SetMinimum):
        value = change.minimum
    else:
        value = unit.at.isoformat() if change.retired else None
    differing = [product for product in selected if _differs(product, change, value)]
    former = [_Former(product.id, product.version + 1, _present(product, column)) for product in differing]
    set_values(unit, column, [(product.id, value) for product in differing])
    _note_for_history(unit, column, former)
    return former


def _note_for_history(unit: UnitOfWork, column: str, former: Sequence[_Former]) -> None:
    """Record the change for the history of each product; ids ascend, as in the key of the table."""
    rows = [(unit.operation, each.id, json.dumps({column: each.value}), each.version) for each in former]
    insert_rows(unit.connection, IMPORT_CHANGE, ("operation_id", "product_id", "before", "version_after"), rows)


def _refuses(product: LockedProduct, change: BulkEdit) -> bool:
    edited = product.expected_version is not None and product.expected_version != product.version
    if isinstance(change, SetRetired):
        return edited and product.retired != change.retired
    return edited or product.retired


def _differs(product: LockedProduct, change: BulkEdit, value: Any) -> bool:
    if isinstance(change, SetRetired):
        return product.retired != change.retired
    return bool(getattr(product, _column(change)) != value)


def _as_they_are(unit: UnitOfWork, products: Sequence[LockedProduct]) -> tuple[ChangedProduct, ...]:
    names = category_names(unit, {product.category_id for product in products if product.category_id is not None})
    return tuple(
        ChangedProduct(
            product.id,
            product.code,
            product.name,
            product.expected_version,
            product.version,
            None if product.category_id is None else names[product.category_id],
            product.minimum,
            product.retired,
        )
        for product in products
    )


def _column(change: BulkEdit) -> str:
    if isinstance(change, SetCategory):
        return "category_id"
    return "minimum" if isinstance(change, SetMinimum) else "retired_at"


def _present(product: LockedProduct, column: str) -> Any:
    value = getattr(product, column)
    return value.isoformat() if isinstance(value, datetime) else value


def _read_change(unit: UnitOfWork, operation: str) -> dict[str, Any]:
    """Read the stored data of the operation if it can be undone."""
    first = unit.connection.execute(_FIRST, {"of": replace_surrogates(operation)}).first()
    if first is None or first.operation_type not in (CHANGE, UNDO):
        raise MovementNotFound(operation)
    kept: dict[str, Any] = json.loads(first.result) if first.operation_type == CHANGE else {}
    if not kept:
        raise CannotUndo("is_undo")
    if not kept["former"]:
        raise CannotUndo("changed_nothing")
    return kept


def _selection_fields(selection: Selection) -> dict[str, Any]:
    """Return the selection in JSON values, without its guards."""
    if selection.filter is None:
        return {"products": sorted(product.id for product in selection.products)}
    found = selection.filter
    return {"found": [found.search, found.category, found.status and str(found.status), found.location]}


def _encoded(result: ProductsSaved) -> dict[str, Any]:
    return asdict(result)


def _decoded(kept: Mapping[str, Any]) -> ProductsSaved:
    return ProductsSaved(
        kept["operation"], kept["changed"], kept["unchanged"], kept.get("retired"), kept.get("replayed", False)
    )
