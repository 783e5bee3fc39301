"""Verify that stored data is consistent: in SQL, set by set, without replaying the ledger."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, ForeignKeyConstraint, Select, Table, and_, func, literal, or_, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from inventory_core.context import InventoryContext
from inventory_core.database.table_names import table_name
from inventory_core.models import (
    BALANCE,
    CATEGORY,
    LOCATION,
    MOVEMENT,
    OPERATION,
    OPERATION_RESULT,
    PRODUCT,
    PRODUCT_REVISION,
    metadata,
)
from inventory_core.records import Record
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.products import NO_CHANGES, REVISED_COLUMNS, RevisionKind
from inventory_core.rules.texts import code_key, invisible_characters, search_text, sort_key

_SUMS = (
    select(MOVEMENT.c.product_id, MOVEMENT.c.location_id, func.sum(MOVEMENT.c.quantity).label("moved"))
    .group_by(MOVEMENT.c.product_id, MOVEMENT.c.location_id)
    .subquery("sums")
)
_TOTALS = (
    select(BALANCE.c.product_id, func.sum(BALANCE.c.quantity).label("total"))
    .group_by(BALANCE.c.product_id)
    .subquery("totals")
)
_SERIES = select(
    MOVEMENT.c.id,
    MOVEMENT.c.quantity,
    MOVEMENT.c.balance_after,
    func.lag(MOVEMENT.c.balance_after, 1, 0)
    .over(partition_by=[MOVEMENT.c.product_id, MOVEMENT.c.location_id], order_by=MOVEMENT.c.id)
    .label("balance_before"),
).subquery("series")
_LAST_IDS = (
    select(func.max(MOVEMENT.c.id).label("id")).group_by(MOVEMENT.c.product_id, MOVEMENT.c.location_id).subquery("last")
)
_UNDONE = MOVEMENT.alias("undone")
# Each statement returns the names of the violations, then the expected value, then the stored one.
_BALANCE_IS_SUM = (
    select(PRODUCT.c.code, LOCATION.c.name, func.coalesce(_SUMS.c.moved, 0), BALANCE.c.quantity)
    .select_from(BALANCE)
    .outerjoin(_SUMS, and_(_SUMS.c.product_id == BALANCE.c.product_id, _SUMS.c.location_id == BALANCE.c.location_id))
    .outerjoin(PRODUCT, PRODUCT.c.id == BALANCE.c.product_id)
    .outerjoin(LOCATION, LOCATION.c.id == BALANCE.c.location_id)
    .where(BALANCE.c.quantity != func.coalesce(_SUMS.c.moved, 0))
)
_MOVED_WITHOUT_BALANCE = (
    select(PRODUCT.c.code, LOCATION.c.name, _SUMS.c.moved, literal("no balance"))
    .select_from(_SUMS)
    .outerjoin(BALANCE, and_(BALANCE.c.product_id == _SUMS.c.product_id, BALANCE.c.location_id == _SUMS.c.location_id))
    .outerjoin(PRODUCT, PRODUCT.c.id == _SUMS.c.product_id)
    .outerjoin(LOCATION, LOCATION.c.id == _SUMS.c.location_id)
    .where(BALANCE.c.product_id.is_(None))
)
_TOTAL_IS_SUM = (
    select(PRODUCT.c.code, func.coalesce(_TOTALS.c.total, 0), PRODUCT.c.quantity)
    .select_from(PRODUCT)
    .outerjoin(_TOTALS, _TOTALS.c.product_id == PRODUCT.c.id)
    .where(PRODUCT.c.quantity != func.coalesce(_TOTALS.c.total, 0))
)
_SERIES_ADDS_UP = select(_SERIES.c.id, _SERIES.c.balance_before + _SERIES.c.quantity, _SERIES.c.balance_after).where(
    _SERIES.c.balance_after != _SERIES.c.balance_before + _SERIES.c.quantity
)
_LAST_IS_BALANCE = (
    select(MOVEMENT.c.id, BALANCE.c.quantity, MOVEMENT.c.balance_after)
    .select_from(_LAST_IDS)
    .join(MOVEMENT, MOVEMENT.c.id == _LAST_IDS.c.id)
    .join(
        BALANCE,
        and_(BALANCE.c.product_id == MOVEMENT.c.product_id, BALANCE.c.location_id == MOVEMENT.c.location_id),
    )
    .where(BALANCE.c.quantity != MOVEMENT.c.balance_after)
)
_UNDO_IS_OPPOSITE = (
    select(MOVEMENT.c.id, -_UNDONE.c.quantity, MOVEMENT.c.quantity)
    .select_from(MOVEMENT)
    .join(_UNDONE, _UNDONE.c.id == MOVEMENT.c.undoes_id)
    .where(
        or_(
            MOVEMENT.c.quantity != -_UNDONE.c.quantity,
            MOVEMENT.c.product_id != _UNDONE.c.product_id,
            MOVEMENT.c.location_id != _UNDONE.c.location_id,
        )
    )
)
_WITHOUT_RESULT = (
    select(OPERATION.c.id, literal("a result"), literal("nothing"))
    .select_from(OPERATION.outerjoin(OPERATION_RESULT, OPERATION_RESULT.c.operation_id == OPERATION.c.id))
    .where(OPERATION_RESULT.c.operation_id.is_(None))
)
_REVISIONS = (
    select(
        PRODUCT.c.id.label("product_id"),
        PRODUCT.c.version,
        *(PRODUCT.c[column] for column in REVISED_COLUMNS),
        PRODUCT_REVISION.c.version.label("revision"),
        PRODUCT_REVISION.c.changes,
    )
    .join(PRODUCT_REVISION, PRODUCT_REVISION.c.product_id == PRODUCT.c.id)
    .where(PRODUCT_REVISION.c.changes != NO_CHANGES)
    .order_by(PRODUCT.c.id, PRODUCT_REVISION.c.version)
)
_COUNTED = (
    select(
        PRODUCT_REVISION.c.product_id,
        func.count().label("revisions"),
        func.max(PRODUCT_REVISION.c.version).label("latest"),
    )
    .group_by(PRODUCT_REVISION.c.product_id)
    .subquery("counted")
)
_VERSIONS = (
    select(PRODUCT.c.code, PRODUCT.c.version, func.coalesce(_COUNTED.c.revisions, 0))
    .select_from(PRODUCT.outerjoin(_COUNTED, _COUNTED.c.product_id == PRODUCT.c.id))
    .where(func.coalesce(_COUNTED.c.revisions, 0) != PRODUCT.c.version)
)
_LATEST = (
    select(PRODUCT.c.code, PRODUCT.c.version, _COUNTED.c.latest)
    .join(_COUNTED, _COUNTED.c.product_id == PRODUCT.c.id)
    .where(_COUNTED.c.latest != PRODUCT.c.version)
)
_CREATES = (
    select(PRODUCT.c.code, PRODUCT_REVISION.c.version, literal("created first, and once"), PRODUCT_REVISION.c.kind)
    .join(PRODUCT_REVISION, PRODUCT_REVISION.c.product_id == PRODUCT.c.id)
    .where((PRODUCT_REVISION.c.kind == RevisionKind.CREATED.value) != (PRODUCT_REVISION.c.version == 1))
)
CHECK = "folded text is that of the text"
REVISED = "revisions lead to the fields of the product"
VISIBLE = "names hold no invisible characters"


@dataclass(frozen=True, slots=True)
class VerificationFault(Record):
    """A violation: the name of the ``check``, ``where`` it was found, and the two values that should be equal."""

    check: str
    where: str
    expected: str
    found: str


def _negative(name: ColumnElement[str], value: ColumnElement[int]) -> Select[str, str, int]:
    return select(name, literal("0 or more"), value).where(value < 0)


_CHECKS = (
    ("balance is the sum of its movements", ("product", "location"), _BALANCE_IS_SUM),
    ("movements have a balance", ("product", "location"), _MOVED_WITHOUT_BALANCE),
    ("total is the sum of the balances", ("product",), _TOTAL_IS_SUM),
    ("movements add up", ("movement",), _SERIES_ADDS_UP),
    ("last movement leaves the balance", ("movement",), _LAST_IS_BALANCE),
    ("undo is the opposite", ("movement",), _UNDO_IS_OPPOSITE),
    ("operations have a result", ("operation",), _WITHOUT_RESULT),
    ("each version has a revision", ("product",), _VERSIONS),
    ("the last revision leaves the version", ("product",), _LATEST),
    ("the first revision creates the product", ("product", "version"), _CREATES),
    ("total is not negative", ("product",), _negative(PRODUCT.c.code, PRODUCT.c.quantity)),
    ("minimum is not negative", ("product",), _negative(PRODUCT.c.code, PRODUCT.c.minimum)),
    ("balance is not negative", ("product id",), _negative(BALANCE.c.product_id, BALANCE.c.quantity)),
    ("movement leaves no negative", ("movement",), _negative(MOVEMENT.c.id, MOVEMENT.c.balance_after)),
)


def ledger_faults(session: Session) -> Iterator[VerificationFault]:
    """Yield every contradiction between ledger and balances, and between revisions and versions."""
    for check, names, statement in _CHECKS:
        for *keys, expected, found in session.execute(statement, execution_options={"yield_per": 1000}):
            where = ", ".join(f"{name} {key}" for name, key in zip(names, keys, strict=True))
            yield VerificationFault(check, where, str(expected), str(found))


def reference_faults(session: Session) -> Iterator[VerificationFault]:
    """Yield rows that refer to missing rows, even if the database did not check references."""
    for table in metadata.sorted_tables:
        for constraint in sorted(table.foreign_key_constraints, key=lambda key: str(key.name)):
            yield from _orphans(session, constraint)
    defaults = session.scalar(select(func.count()).where(LOCATION.c.is_default.is_(True))) or 0
    if defaults != 1:
        yield VerificationFault("one location is the default", "locations", "1", str(defaults))


def _orphans(session: Session, constraint: ForeignKeyConstraint) -> Iterator[VerificationFault]:
    table, target = constraint.table, constraint.referred_table.alias("target")
    pairs = [(element.parent, target.c[element.column.name]) for element in constraint.elements]
    statement = (
        select(*table.primary_key, *(column for column, _ in pairs))
        .select_from(table.outerjoin(target, and_(*(column == wanted for column, wanted in pairs))))
        .where(pairs[0][1].is_(None), *(column.is_not(None) for column, _ in pairs))
    )
    width = len(list(table.primary_key))
    for record in session.execute(statement, execution_options={"yield_per": 1000}):
        key, wanted = record[:width], record[width:]
        yield VerificationFault(
            "references lead somewhere",
            f"{_kind(table)} {', '.join(map(str, key))}",
            f"{_kind(constraint.referred_table)} {', '.join(map(str, wanted))}",
            "nothing",
        )


def revision_faults(session: Session) -> Iterator[VerificationFault]:
    """Yield revisions whose values contradict the revisions before, or the product."""
    records = session.execute(_REVISIONS, execution_options={"yield_per": 1000})
    for _, revisions in groupby(records, key=lambda record: record.product_id):
        yield from _revision_faults(revisions)


def _revision_faults(revisions: Iterable[Any]) -> Iterator[VerificationFault]:
    """Follow the revisions of one product, by version, and compare where they lead with its fields."""
    latest: dict[str, Any] = {}
    for record in revisions:
        where = f"product {record.code}, version {record.revision}"
        try:
            changes = _read_changes(record.changes)
        except (ValueError, TypeError, AttributeError):
            yield VerificationFault("revisions can be read", where, "former and new values", record.changes)
            changes = {}
        for column, (former, new) in changes.items():
            if latest.setdefault(column, former) != former:
                yield VerificationFault(REVISED, f"{where}, {column}", str(latest[column]), str(former))
            latest[column] = new
        if record.revision == record.version:
            for column, value in latest.items():
                if value != getattr(record, column):
                    found = str(getattr(record, column))
                    yield VerificationFault(REVISED, f"product {record.code}, {column}", str(value), found)


def _read_changes(stored: str) -> dict[str, tuple[Any, Any]]:
    """Return the former and the new value by column. Raises ``ValueError``, ``TypeError`` or ``AttributeError``."""
    changes = {column: (former, new) for column, (former, new) in json.loads(stored).items()}
    if not changes.keys() <= set(REVISED_COLUMNS):
        raise ValueError(stored)
    if times := changes.get("retired_at"):
        former, new = (None if moment is None else datetime.fromisoformat(moment) for moment in times)
        changes["retired_at"] = (former, new)
    return changes


def text_form_faults(session: Session) -> Iterator[VerificationFault]:
    """Yield keys and search texts that differ from the rules, because another version or a person wrote them."""
    yield from _name_keys(session, CATEGORY)
    yield from _name_keys(session, LOCATION)
    columns = (
        PRODUCT.c.code,
        PRODUCT.c.name,
        PRODUCT.c.description,
        CATEGORY.c.name,
        PRODUCT.c.code_key,
        PRODUCT.c.name_key,
        PRODUCT.c.search_text,
    )
    statement = select(*columns).select_from(PRODUCT.outerjoin(CATEGORY, CATEGORY.c.id == PRODUCT.c.category_id))
    for code, name, description, category, *found in session.execute(statement, execution_options={"yield_per": 1000}):
        for column, name_text in (("code", code), ("name", name)):
            yield from invisible_faults(f"product {code}, {column}", name_text)
        wanted = [code_key(code), sort_key(name), search_text(code, name, description, category or "")]
        for column, expected, stored in zip(("code_key", "name_key", "search_text"), wanted, found, strict=True):
            if expected != stored:
                yield VerificationFault(CHECK, f"product {code}, {column}", expected, stored)


def _name_keys(session: Session, table: Table) -> Iterator[VerificationFault]:
    for name, key in session.execute(select(table.c.name, table.c.name_key)):
        yield from invisible_faults(f"{_kind(table)} {name}, name", name)
        if key != sort_key(name):
            yield VerificationFault(CHECK, f"{_kind(table)} {name}, name_key", sort_key(name), key)


def _kind(table: Table) -> str:
    """Return the name of the table without its prefix, as people call what it holds."""
    return table.name.removeprefix(table_name(""))


def invisible_faults(where: str, text: str) -> Iterator[VerificationFault]:
    """Yield names with format characters, which an earlier version or another program wrote."""
    if found := invisible_characters(text):
        yield VerificationFault(VISIBLE, show_invisible(where), "none", " ".join(found))


def show_invisible(text: str) -> str:
    """Return the text with each invisible character as ``<U+200B>``."""
    return "".join(f"<{found[0]}>" if (found := invisible_characters(char)) else char for char in text)


def sqlite_file_faults(session: Session) -> Iterator[VerificationFault]:
    """Yield damaged pages and indexes, broken CHECK constraints, and broken references of other tables."""
    for (line,) in session.execute(text("PRAGMA integrity_check")):
        if line != "ok":
            yield VerificationFault("the file is sound", "database", "ok", line)
    own = {table.name for table in metadata.tables.values()}
    for table, row, target, _ in session.execute(text("PRAGMA foreign_key_check")):
        if table not in own:
            yield VerificationFault("references lead somewhere", f"{table} row {row}", target, "nothing")


def search_index_faults(session: Session) -> list[VerificationFault]:
    """Compare the search index with the products. SQLite requires a writing transaction; nothing is written."""
    index = f"{PRODUCT.name}_search"
    check = f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)"  # noqa: S608
    try:
        session.connection().exec_driver_sql(check)
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        return [VerificationFault("the search index fits", index, "the products' search_text", str(error.orig))]
    return []


@dataclass(frozen=True, slots=True)
class Verification(Record):
    """The checks and every violation; none means that all data is consistent."""

    products: int
    movements: int
    faults: tuple[VerificationFault, ...]


@check_arguments
def verify(inventory: InventoryContext) -> Verification:
    """Check every stored balance, total, revision, key and reference.

    Reads the whole database in a few statements and constant memory: seconds per million movements. Does not block writers, and
    each statement reads one snapshot. On SQLite it also checks the integrity of the file and the search index.
    """
    with inventory.sessions.reader() as session:
        products = session.scalar(select(func.count()).select_from(PRODUCT)) or 0
        movements = session.scalar(select(func.count()).select_from(MOVEMENT)) or 0
        faults = tuple(_read_faults(session))
        is_sqlite = session.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        faults += tuple(inventory.sessions.write(search_index_faults))
    return Verification(products, movements, faults)


def _read_faults(session: Session) -> Iterator[VerificationFault]:
    yield from ledger_faults(session)
    yield from reference_faults(session)
    yield from revision_faults(session)
    yield from text_form_faults(session)
    if session.get_bind().dialect.name == "sqlite":
        yield from sqlite_file_faults(session)
