"""Store what each operation did to the fields of products: the revisions, which undo and history read."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Self

from sqlalchemy import Connection, bindparam, select

from inventory_core.database.sql_batch import insert_rows
from inventory_core.errors import CannotUndo
from inventory_core.models import OPERATION_RESULT, PRODUCT_REVISION
from inventory_core.rules.products import NO_CHANGES, FieldChanges, RevisionKind, revision_kind
from inventory_core.stock.idempotency import UnitOfWork

_COLUMNS = ("operation_id", "product_id", "version", "kind", "changes")
# On MySQL, a shared lock reads the committed state, whatever snapshot the transaction has.
_REVISIONS = (
    select(
        PRODUCT_REVISION.c.product_id, PRODUCT_REVISION.c.version, PRODUCT_REVISION.c.kind, PRODUCT_REVISION.c.changes
    )
    .where(PRODUCT_REVISION.c.operation_id == bindparam("of"))
    .order_by(PRODUCT_REVISION.c.product_id)
    .suffix_with("FOR SHARE", dialect="mysql")
)
_UNDONE = (
    select(OPERATION_RESULT.c.operation_id)
    .where(OPERATION_RESULT.c.undoes_id == bindparam("of"))
    .with_for_update(read=True)
)
_CREATED = {"version": "1", "kind": f"'{RevisionKind.CREATED}'", "changes": f"'{NO_CHANGES}'"}
_EDITED = RevisionKind.EDITED.value
_to_text = json.JSONEncoder(ensure_ascii=False).encode


class Revision(NamedTuple):
    """What one operation did to the fields of one product; ``version`` is the version that it left.

    ``stored`` is the JSON text of ``changes``, which is only decoded on demand, because an import has many revisions.
    """

    product_id: int
    version: int
    kind: str
    stored: str

    @classmethod
    def of_changed(cls, product_id: int, version: int, changes: FieldChanges) -> Self:
        """Return the revision with these changes, in JSON values; ``version`` is the new one."""
        kind = revision_kind(changes).value if "retired_at" in changes else _EDITED
        # Faster than a call of the class, for imports.
        return tuple.__new__(cls, (product_id, version, kind, _to_text(changes)))

    @property
    def creates(self) -> bool:
        """Return whether the operation created the product."""
        return self.kind == RevisionKind.CREATED.value

    @property
    def changes(self) -> FieldChanges:
        """Return the former and the new value of each changed column."""
        return {column: (former, new) for column, (former, new) in json.loads(self.stored).items()}

    def inverse(self) -> Self:
        """Return the revision of an undo, which is the next one."""
        changes = {column: (new, former) for column, (former, new) in self.changes.items()}
        return self.of_changed(self.product_id, self.version + 1, changes)


def write_revisions(unit: UnitOfWork, revisions: Sequence[Revision]) -> None:
    """Store the revisions of the unit's operation. Ascending product ids are appended to the table, which is fastest."""
    rows = [(unit.operation, *revision) for revision in revisions]
    insert_rows(unit.connection, PRODUCT_REVISION, _COLUMNS, rows)


def write_first_revisions(unit: UnitOfWork, product_ids: Iterable[int]) -> None:
    """Store the revisions of products that the unit's operation created."""
    rows = [(unit.operation, product_id) for product_id in product_ids]
    insert_rows(unit.connection, PRODUCT_REVISION, _COLUMNS[:2], rows, literals=_CREATED)


def read_revisions(connection: Connection, operation: str) -> list[Revision]:
    """Return the committed revisions of an operation, by product id."""
    return [Revision(*record) for record in connection.execute(_REVISIONS, {"of": operation})]


def undo_once(unit: UnitOfWork, operation: str) -> None:
    """Record that the unit undoes this whole operation.

    Of two simultaneous undos, the second one waits for the products, so call this after locking them. Raises ``CannotUndo``
    (``already_undone``).
    """
    if unit.connection.scalar(_UNDONE, {"of": operation}) is not None:
        raise CannotUndo("already_undone")
    unit.undone.add(operation)


def time_value(moment: datetime | None) -> str | None:
    """Return a time as a JSON value."""
    return None if moment is None else moment.isoformat()
