"""Register, edit, retire and restore products."""

from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Insert, Update, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError

from inventory_core.catalog.categories import find_or_add_category
from inventory_core.catalog.revisions import Revision, time_value, write_first_revisions, write_revisions
from inventory_core.context import InventoryContext
from inventory_core.database.dialects import DriverErrorKind, classify_driver_error
from inventory_core.errors import DuplicateCode, EditConflict, InvalidInput
from inventory_core.models import PRODUCT
from inventory_core.results import ProductSaved, read_product_saved
from inventory_core.rules.arguments import check_arguments, request_faults
from inventory_core.rules.products import ProductDraft, diff_fields
from inventory_core.rules.stock import MovementKind, ProductState, plan_entry, quantity_faults, require_active
from inventory_core.rules.texts import code_key, normalize_code, search_text, sort_key
from inventory_core.stock.idempotency import UnitOfWork, run_idempotent
from inventory_core.stock.ledger import find_place, inserted_id, lock_product, post_entries
from inventory_core.stock.operations import location_fingerprint

_ADD = insert(PRODUCT)
_FIELDS = select(PRODUCT.c.code, PRODUCT.c.name, PRODUCT.c.description, PRODUCT.c.category_id, PRODUCT.c.minimum).where(
    PRODUCT.c.id == bindparam("product")
)
_RETIRED_AT = select(PRODUCT.c.retired_at).where(PRODUCT.c.id == bindparam("product"))
_EDIT = update(PRODUCT).where(PRODUCT.c.id == bindparam("product"))
_SET_RETIRED = (
    update(PRODUCT)
    .where(PRODUCT.c.id == bindparam("product"))
    .values(retired_at=bindparam("retired"), version=PRODUCT.c.version + 1, changed_at=bindparam("at"))
)


@check_arguments
def register_product(
    inventory: InventoryContext,
    *,
    draft: ProductDraft,
    quantity: int = 0,
    location: str | None = None,
    actor: str,
    operation: str,
) -> ProductSaved:
    """Add a product; an initial ``quantity`` is received in ``location``, or in the default one if None.

    A category that does not exist is created. Raises ``InvalidInput`` with every fault, ``DuplicateCode``,
    ``LocationNotFound``, ``ChangeRefused`` or ``OperationReused``.
    """
    _require(draft, operation, actor, quantity)

    def work(unit: UnitOfWork) -> ProductSaved:
        product = _insert(unit, draft)
        if quantity or location is not None:
            place = find_place(unit, product, location)
            if quantity:
                post_entries(unit, product, MovementKind.RECEIVE, (plan_entry(product, place, quantity),))
        return ProductSaved(draft.code, product.version, quantity)

    return run_idempotent(
        inventory,
        operation=operation,
        operation_type="register",
        actor=actor,
        request=_asked(draft) | {"quantity": quantity, "location": location_fingerprint(location)},
        work=work,
        decode=read_product_saved,
    )


@check_arguments
def edit_product(
    inventory: InventoryContext, *, code: str, draft: ProductDraft, expected_version: int, actor: str, operation: str
) -> ProductSaved:
    """Replace the fields of the product with this code, its code included, if it is still at ``expected_version``.

    The version grows by one, unless nothing differs. Raises ``InvalidInput`` with every fault, ``ProductNotFound``,
    ``ProductRetired``, ``EditConflict`` with both versions, ``DuplicateCode`` or ``OperationReused``.
    """
    _require(draft, operation, actor)

    def work(unit: UnitOfWork) -> ProductSaved:
        product = lock_product(unit, code)
        require_active(product)
        _require_version(product, expected_version)
        category_id, category = find_or_add_category(unit, draft.category)
        fields = product_fields(draft, category_id, category, unit.at)
        former = unit.connection.execute(_FIELDS, {"product": product.id}).mappings().one()
        changes = diff_fields({**former}, fields)
        if not changes:
            return ProductSaved(product.code, product.version, product.quantity)
        version = product.version + 1
        _unique(unit, _EDIT, fields | {"product": product.id, "version": version}, draft.code)
        write_revisions(unit, [Revision.of_changed(product.id, version, changes)])
        return ProductSaved(draft.code, version, product.quantity)

    return run_idempotent(
        inventory,
        operation=operation,
        operation_type="edit",
        actor=actor,
        request=_asked(draft) | {"of": code_key(normalize_code(code))},
        work=work,
        decode=read_product_saved,
    )


@check_arguments
def retire_product(
    inventory: InventoryContext, *, code: str, expected_version: int | None = None, actor: str, operation: str
) -> ProductSaved:
    """Retire a product; its stock and history stay. A retired product stays as it is.

    Raises ``ProductNotFound``, ``EditConflict`` if its version is not ``expected_version``, or ``OperationReused``.
    """
    return _set_retired(inventory, "retire", code, expected_version, actor, operation)


@check_arguments
def restore_product(
    inventory: InventoryContext, *, code: str, expected_version: int | None = None, actor: str, operation: str
) -> ProductSaved:
    """Bring a retired product back into use; one in use stays as it is. Raises the errors of ``retire_product``."""
    return _set_retired(inventory, "restore", code, expected_version, actor, operation)


def _set_retired(
    inventory: InventoryContext,
    operation_type: str,
    code: str,
    expected_version: int | None,
    actor: str,
    operation: str,
) -> ProductSaved:
    retire = operation_type == "retire"

    def work(unit: UnitOfWork) -> ProductSaved:
        product = lock_product(unit, code)
        if product.retired == retire:
            return ProductSaved(product.code, product.version, product.quantity)
        if expected_version is not None:
            _require_version(product, expected_version)
        former = unit.connection.scalar(_RETIRED_AT, {"product": product.id}) if product.retired else None
        retired = unit.at if retire else None
        unit.connection.execute(_SET_RETIRED, {"product": product.id, "retired": retired, "at": unit.at})
        version = product.version + 1
        changes = {"retired_at": (time_value(former), time_value(retired))}
        write_revisions(unit, [Revision.of_changed(product.id, version, changes)])
        return ProductSaved(product.code, version, product.quantity)

    return run_idempotent(
        inventory,
        operation=operation,
        operation_type=operation_type,
        actor=actor,
        request={"code": code_key(normalize_code(code))},
        work=work,
        decode=read_product_saved,
    )


def product_fields(draft: ProductDraft, category_id: int | None, category: str, at: datetime) -> dict[str, Any]:
    """Return the values for the ``product`` columns of a draft, including folded forms; ``category`` is the stored name, or ""."""
    return {
        "code": draft.code,
        "code_key": code_key(draft.code),
        "name": draft.name,
        "name_key": sort_key(draft.name),
        "description": draft.description,
        "category_id": category_id,
        "minimum": draft.minimum,
        "search_text": search_text(draft.code, draft.name, draft.description, category),
        "changed_at": at,
    }


def _fields(unit: UnitOfWork, draft: ProductDraft) -> dict[str, Any]:
    category_id, category = find_or_add_category(unit, draft.category)
    return product_fields(draft, category_id, category, unit.at)


def _insert(unit: UnitOfWork, draft: ProductDraft) -> ProductState:
    row = _fields(unit, draft) | {"quantity": 0, "version": 1, "created_at": unit.at}
    product_id = inserted_id(_unique(unit, _ADD, row, draft.code))
    unit.products.add(product_id)
    write_first_revisions(unit, [product_id])
    return ProductState(product_id, draft.code, draft.name, 0, draft.minimum, 1, retired=False)


def _unique(unit: UnitOfWork, statement: Insert | Update, row: dict[str, Any], code: str) -> CursorResult[Any]:
    """Run a statement that writes a code."""
    try:
        return unit.connection.execute(statement, row)
    except DBAPIError as error:
        if classify_driver_error(error) is DriverErrorKind.DUPLICATE:
            raise DuplicateCode(code) from error
        raise


def _require(draft: ProductDraft, operation: str, actor: str, quantity: int = 0) -> None:
    faults = [*draft.faults(), *quantity_faults("quantity", quantity), *request_faults(operation, actor)]
    if faults:
        raise InvalidInput(*faults)


def _require_version(product: ProductState, expected_version: int) -> None:
    if product.version != expected_version:
        raise EditConflict(product.code, expected_version, product.version)


def _asked(draft: ProductDraft) -> dict[str, Any]:
    return {
        "code": draft.code,
        "name": draft.name,
        "description": draft.description,
        "category": draft.category,
        "minimum": draft.minimum,
    }
