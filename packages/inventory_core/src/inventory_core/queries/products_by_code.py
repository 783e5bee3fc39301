"""Many products by their codes, as they are pasted, printed or scanned."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory_core.errors import InvalidInput
from inventory_core.inventory import Inventory
from inventory_core.models import BALANCE, LOCATION, PRODUCT
from inventory_core.queries.filters import Places
from inventory_core.queries.product_details import ProductDetails
from inventory_core.queries.product_rows import read_rows, row_columns, row_source
from inventory_core.rules.arguments import check_arguments, type_faults
from inventory_core.rules.texts import code_key, normalize_code

CODES_AT_ONCE = 500
_ANYWHERE = Places(None, None, None)


@check_arguments
def products_by_code(inventory: Inventory, codes: Iterable[str]) -> dict[str, ProductDetails]:
    """Give the products of these codes, retired ones too, each under the code as it was asked for, in the order given.

    A code that no product has is left out. All are read at one moment, in two statements for each 500 codes.
    """
    asked = list(codes)
    if wrong := [fault for code in asked for fault in type_faults("code", code, str)]:
        raise InvalidInput(*wrong)
    keys = {code: code_key(normalize_code(code)) for code in asked}
    found: dict[str, ProductDetails] = {}
    with inventory.sessions.reader() as session:
        for portion in _portions(dict.fromkeys(keys.values())):
            found |= _read(session, portion)
    return {code: found[key] for code, key in keys.items() if key in found}


def _read(session: Session, keys: Sequence[str]) -> dict[str, ProductDetails]:
    columns = (*row_columns(_ANYWHERE), PRODUCT.c.created_at, PRODUCT.c.code_key)
    statement = select(*columns).select_from(row_source(PRODUCT, _ANYWHERE)).where(PRODUCT.c.code_key.in_(keys))
    records = session.execute(statement).all()
    rows = tuple(read_rows(record[:-2] for record in records))
    places = (
        select(BALANCE.c.product_id, LOCATION.c.name, BALANCE.c.quantity)
        .join_from(BALANCE, LOCATION, LOCATION.c.id == BALANCE.c.location_id)
        .where(BALANCE.c.product_id.in_([row.id for row in rows]))
        .order_by(LOCATION.c.name_key)
    )
    balances: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for product_id, name, quantity in session.execute(places):
        balances[product_id].append((name, quantity))
    return {
        record.code_key: ProductDetails(row, tuple(balances[row.id]), record.created_at)
        for record, row in zip(records, rows, strict=True)
    }


def _portions(keys: Iterable[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while portion := list(islice(left, CODES_AT_ONCE)):
        yield portion
