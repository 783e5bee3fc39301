"""Import a table, all rows or none, or preview it."""

import dataclasses
from collections.abc import Iterator, Sequence

from pluggy import PluginManager
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from inventory_core.catalog.categories import find_or_add_categories
from inventory_core.catalog.locations import find_or_add_locations
from inventory_core.context import InventoryContext
from inventory_core.database.dialects import DriverErrorKind, classify_driver_error
from inventory_core.database.sql_batch import BULK_CACHE_KIBIBYTES, page_cache
from inventory_core.errors import RowsRefused
from inventory_core.importing.plan import Change, ImportHooks, Planner, sample
from inventory_core.importing.reader import Progress, Table
from inventory_core.importing.results import MAX_SAMPLES, FaultCollector, ImportPreview, ImportResult, RowSample
from inventory_core.importing.rows import BatchParser
from inventory_core.importing.writer import (
    CREATE_BATCH_SIZE,
    ImportWriter,
    lock_products,
    read_balances,
    read_ids,
    read_stored_names,
    read_stored_products,
)
from inventory_core.plugins import ProposedChange
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.texts import code_key, normalize_code
from inventory_core.stock.hooks import has_check_hooks
from inventory_core.stock.idempotency import UnitOfWork, run_idempotent

CHANGE_BATCH_SIZE = 8_000


@check_arguments
def preview_import(inventory: InventoryContext, table: Table, progress: Progress | None = None) -> ImportPreview:
    """Return what an import of the table would change now, and all its faults. Changes nothing."""
    log = FaultCollector(_columns(table))
    samples: list[RowSample] = []
    with inventory.sessions.reader() as session:
        connection = session.connection()
        planner = Planner(table, read_stored_names(connection, locked=False), log, _watch(inventory.plugins, ""))
        for changes in _plan(connection, planner, table, log, progress, importing=False):
            if len(samples) < MAX_SAMPLES:
                samples += [sample(change) for change in changes if change.is_seen][: MAX_SAMPLES - len(samples)]
    return ImportPreview(
        kind=table.kind,
        **dataclasses.asdict(planner.counts),
        new_categories=tuple(planner.new_categories.values()),
        new_locations=tuple(planner.new_locations.values()),
        unused_columns=table.unused_columns,
        faults=log.first,
        faults_total=log.total,
        samples=tuple(samples),
    )


@check_arguments
def import_table(
    inventory: InventoryContext, table: Table, *, actor: str, operation: str, progress: Progress | None = None
) -> ImportResult:
    """Import the whole table in one transaction.

    Checks everything again inside it. Raises ``RowsRefused`` with every fault, ``OperationReused``, or any error of ``progress``;
    then nothing was changed. ``progress`` is called inside the transaction, and again from the start if the transaction is
    repeated; on SQLite it must not write to the same database, which would deadlock.
    """

    def work(unit: UnitOfWork) -> ImportResult:
        return _import(unit, table, progress)

    for repeat in (True, False):
        try:
            return run_idempotent(
                inventory,
                operation=operation,
                operation_type="import",
                actor=actor,
                request={"content": table.digest, "sheet": table.sheet},
                work=work,
                decode=ImportResult.decode,
            )
        except DBAPIError as error:
            # Another transaction registered one of the codes in the meantime: the row updates that product now.
            if not repeat or classify_driver_error(error) is not DriverErrorKind.DUPLICATE:
                raise
    raise AssertionError("unreachable")


def _import(unit: UnitOfWork, table: Table, progress: Progress | None) -> ImportResult:
    with page_cache(unit.connection, BULK_CACHE_KIBIBYTES, raise_heap_limit=True):
        return _import_all(unit, table, progress)


def _import_all(unit: UnitOfWork, table: Table, progress: Progress | None) -> ImportResult:
    connection = unit.connection
    log = FaultCollector(_columns(table))
    # SQLite's single writer has already locked everything.
    if connection.dialect.name != "sqlite":
        _lock(connection, table)
    planner = Planner(table, read_stored_names(connection, locked=True), log, _watch(unit.plugins, unit.actor))
    writer = ImportWriter(unit, planner.places)
    waiting: list[Change] = []
    created = 0
    for changes in _plan(connection, planner, table, log, progress, importing=True):
        waiting += changes
        created += _created_in(changes)
        if log.total:
            waiting.clear()
        elif created >= CREATE_BATCH_SIZE or len(waiting) >= CHANGE_BATCH_SIZE:
            end = _end_of_batch(waiting)
            _write(unit, planner, writer, waiting[:end])
            del waiting[:end]
            created = _created_in(waiting)
    if log.total:
        raise RowsRefused(log.first, log.total)
    _write(unit, planner, writer, waiting)
    writer.finish()
    return ImportResult(
        operation=unit.operation,
        kind=table.kind,
        **dataclasses.asdict(planner.counts),
        new_categories=tuple(planner.new_categories.values()),
        new_locations=tuple(planner.new_locations.values()),
        unused_columns=table.unused_columns,
    )


def _plan(
    connection: Connection,
    planner: Planner,
    table: Table,
    log: FaultCollector,
    progress: Progress | None,
    *,
    importing: bool,
) -> Iterator[list[Change]]:
    """Classify the table batch by batch; the next batch is read after the changes of the last one were processed."""
    reader = BatchParser(table, log)
    for batch in table.batches:
        lines = reader.read(batch)
        known = read_stored_products(connection, {line.key for line in lines}, locked=importing)
        needed = {
            product.id
            for line in lines
            if (product := known.get(line.key)) is not None and planner.needs_balances(line, product)
        }
        balances = read_balances(connection, needed, locked=importing)
        if planner.places.lacks(known.values(), balances.values()):
            fresh = read_stored_names(connection, locked=importing)
            planner.places.add(fresh.categories, fresh.locations)
        planner.counts.rows += len(batch.numbers)
        yield planner.plan(lines, known, balances)
        if progress is not None:
            progress(planner.counts.rows, table.size, "writing" if importing else "checking")


def _write(unit: UnitOfWork, planner: Planner, writer: ImportWriter, changes: Sequence[Change]) -> None:
    categories = [name for key, name in planner.new_categories.items() if key not in planner.places.categories]
    locations = [name for key, name in planner.new_locations.items() if key not in planner.places.locations]
    planner.places.add(find_or_add_categories(unit, categories), find_or_add_locations(unit, locations))
    writer.write(changes)


def _end_of_batch(waiting: Sequence[Change]) -> int:
    """Return how many changes to write together: at most those that create ``CREATE_BATCH_SIZE`` products."""
    created = 0
    for number, change in enumerate(waiting, start=1):
        created += change.old is None
        if created == CREATE_BATCH_SIZE:
            return number
    return len(waiting)


def _created_in(changes: Sequence[Change]) -> int:
    return sum(change.old is None for change in changes)


def _lock(connection: Connection, table: Table) -> None:
    """Lock every product of the table, in the order that every operation uses: by id, not by row."""
    code_at = table.places["code"]
    found: set[int] = set()
    for batch in table.batches:
        keys = {code_key(normalize_code(cells[code_at])) for cells in batch.cells if code_at < len(cells)}
        found.update(read_ids(connection, keys).values())
    lock_products(connection, found)


def _watch(plugins: PluginManager, actor: str) -> ImportHooks:
    def check(change: ProposedChange) -> Sequence[str]:
        refusals: list[str] = plugins.hook.check_stock_change(change=change)
        return refusals

    return ImportHooks(actor, check if has_check_hooks(plugins) else None)


def _columns(table: Table) -> dict[str, str]:
    return {field: table.headers[place] for field, place in table.places.items()}
