"""Proof that what is stored agrees with itself: in SQL, set by set, without replaying the ledger here."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory_core.inventory import Inventory
from inventory_core.models import MOVEMENT, PRODUCT
from inventory_core.operations.verifications import folded, ledger, references, sqlite_file
from inventory_core.operations.verifications.fault import VerificationFault
from inventory_core.rules.arguments import check_arguments


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at, and every fault that was found; none means that all agrees."""

    products: int
    movements: int
    faults: tuple[VerificationFault, ...]


@check_arguments
def verify(inventory: Inventory) -> Verification:
    """Check every stored balance, total, key and reference.

    Reads the whole database in a few statements and constant memory, so it takes its time: seconds per million movements.
    Writers are not held up, and do not disturb: each statement compares what one moment shows. On SQLite also the file's
    own integrity and its search index are checked.
    """
    with inventory.sessions.reader() as session:
        products = session.scalar(select(func.count()).select_from(PRODUCT)) or 0
        movements = session.scalar(select(func.count()).select_from(MOVEMENT)) or 0
        faults = tuple(_read_faults(session))
        is_sqlite = session.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        faults += tuple(inventory.sessions.write(sqlite_file.search_index_faults))
    return Verification(products, movements, faults)


def _read_faults(session: Session) -> Iterator[VerificationFault]:
    yield from ledger.faults(session)
    yield from references.faults(session)
    yield from folded.faults(session)
    if session.get_bind().dialect.name == "sqlite":
        yield from sqlite_file.faults(session)
