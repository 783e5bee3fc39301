"""Change many products in one operation, all or nothing, and undo it as a whole."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from inventory_core.catalog.categories import find_or_add_category
from inventory_core.catalog.revisions import Revision, read_revisions, time_value, undo_once, write_revisions
from inventory_core.catalog.selection import LockedProduct, Selection, lock_many, lock_selected
from inventory_core.context import InventoryContext
from inventory_core.database.sql_batch import BULK_CACHE_KIBIBYTES, page_cache, set_by_id, stored_time
from inventory_core.errors import CannotUndo, ChangedProduct, Fault, InvalidInput, MovementNotFound, ProductsConflict
from inventory_core.models import CATEGORY, OPERATION, PRODUCT
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
_TYPE = select(OPERATION.c.operation_type).where(OPERATION.c.id == bindparam("of"))


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

    def work(unit: UnitOfWork) -> ProductsSaved:
        selected = lock_selected(unit, selection)
        with page_cache(unit.connection, BULK_CACHE_KIBIBYTES, raise_heap_limit=True):
            changed = _change(unit, selected, change)
        retired = change.retired if isinstance(change, SetRetired) else None
        return ProductsSaved(unit.operation, changed, len(selected) - changed, retired)

    return run_idempotent(
        inventory,
        operation=operation,
        operation_type=CHANGE,
        actor=actor,
        request={"selection": _selection_fields(selection), "change": change.fingerprint_fields()},
        work=work,
        encode=lambda saved: _encoded(saved) | {"column": _column(change)},
        decode=_decoded,
    )


@check_arguments
def undo_products_change(
    inventory: InventoryContext, *, changed_operation: str, actor: str, operation: str
) -> ProductsSaved:
    """Restore the former value of every product that ``change_products`` changed under that operation id.

    All or nothing. Raises ``CannotUndo`` (``edited_since`` with the code of a product that was edited in between;
    ``already_undone``; ``changed_nothing``; ``is_undo``), ``MovementNotFound`` if there was no such change, or ``OperationReused``.
    """

    def work(unit: UnitOfWork) -> ProductsSaved:
        revisions = _read_change(unit, changed_operation)
        selected = lock_many(unit, [revision.product_id for revision in revisions])
        undo_once(unit, changed_operation)
        for product, revision in zip(selected, revisions, strict=True):
            if product.version != revision.version:
                raise CannotUndo("edited_since", product.code)
        former: dict[str, list[tuple[int, Any]]] = defaultdict(list)
        for revision in revisions:
            for column, (value, _) in revision.changes.items():
                former[column].append((revision.product_id, value))
        with page_cache(unit.connection, BULK_CACHE_KIBIBYTES, raise_heap_limit=True):
            for column, values in former.items():
                set_values(unit, column, values)
            write_revisions(unit, [revision.inverse() for revision in revisions])
        retired = any(value is not None for _, value in former["retired_at"]) if "retired_at" in former else None
        return ProductsSaved(unit.operation, len(revisions), 0, retired)

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


def _change(unit: UnitOfWork, selected: Sequence[LockedProduct], change: BulkEdit) -> int:
    """Write the change and its revisions; return the number of products that it changed."""
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
        value = time_value(unit.at) if change.retired else None
    differing = [product for product in selected if _differs(product, change, value)]
    set_values(unit, column, [(product.id, value) for product in differing])
    revisions = [
        Revision.of_changed(product.id, product.version + 1, {column: (_present(product, column), value)})
        for product in differing
    ]
    write_revisions(unit, revisions)
    return len(differing)


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
    return time_value(value) if isinstance(value, datetime) else value


def _read_change(unit: UnitOfWork, operation: str) -> list[Revision]:
    """Return the revisions of the operation if it can be undone."""
    known = replace_surrogates(operation)
    operation_type = unit.connection.scalar(_TYPE, {"of": known})
    if operation_type not in (CHANGE, UNDO):
        raise MovementNotFound(operation)
    if operation_type == UNDO:
        raise CannotUndo("is_undo")
    revisions = read_revisions(unit.connection, known)
    if not revisions:
        raise CannotUndo("changed_nothing")
    return revisions


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
