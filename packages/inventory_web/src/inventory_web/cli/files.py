"""``import`` and ``export``."""

import dataclasses
import gc
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from flask_babel import gettext, ngettext

from inventory_core import (
    ExportFormat,
    ImportPreview,
    ImportResult,
    Inventory,
    ProductFilter,
    RowFault,
    RowsRefused,
    Table,
    export_products,
    import_table,
    preview_import,
    read_table,
)
from inventory_web.blueprints.files.import_jobs import row_fault_text
from inventory_web.cli.errors import report_error
from inventory_web.cli.language import command_language
from inventory_web.cli.session import inventory_session, system_actor
from inventory_web.context import new_operation
from inventory_web.i18n.labels import format_number
from inventory_web.settings import Settings

MOST_FAULTS_SHOWN = 50
Report = Callable[[int, int, str], None]


def import_file(file: Path, *, dry_run: bool, sheet: str | None, as_json: bool) -> None:
    """Import a file, or print every fault and exit with 1; nothing is changed then."""
    with inventory_session(Settings.from_environment()) as inventory:
        try:
            with paused_garbage_collection(), _progress(shown=not as_json) as progress:
                table = read_table(file, filename=file.name, sheet=sheet)
                outcome = _preview(inventory, table, progress) if dry_run else _import(inventory, table, progress)
        except RowsRefused as error:
            _show_faults(error, as_json=as_json)
            sys.exit(1)
    _show(outcome, dry_run=dry_run, as_json=as_json)


@contextmanager
def paused_garbage_collection() -> Iterator[None]:
    """Pause cyclic garbage collection: an import creates millions of objects without cycles, and gets a seventh faster.

    The pause affects every thread, so it is only for a process that does nothing else.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def run_import(inventory: Inventory, file: Path, *, actor: str) -> None:
    """Import a built-in file without output."""
    table = read_table(file, filename=file.name)
    import_table(inventory, table, actor=actor, operation=new_operation())


def _preview(inventory: Inventory, table: Table, progress: Report | None) -> ImportPreview:
    preview = preview_import(inventory, table, progress)
    if preview.faults_total:
        raise RowsRefused(preview.faults, preview.faults_total)
    return preview


def _import(inventory: Inventory, table: Table, progress: Report | None) -> ImportResult:
    return import_table(inventory, table, actor=system_actor(), operation=new_operation(), progress=progress)


@contextmanager
def _progress(*, shown: bool) -> Iterator[Report | None]:
    """Show a progress bar on a terminal, otherwise nothing."""
    if not (shown and sys.stderr.isatty()):
        yield None
        return
    labels = {"checking": gettext("Comprobando"), "writing": gettext("Guardando")}
    with click.progressbar(
        length=1, label=gettext("Leyendo"), file=sys.stderr, show_pos=True, update_min_steps=1
    ) as bar:

        def advance(done: int, total: int, stage: str) -> None:
            label = labels.get(stage, stage)
            if label != bar.label:
                bar.label, bar.length, bar.pos, bar.finished = label, total, 0, False
            bar.update(done - bar.pos)

        yield advance


def _show(outcome: ImportPreview | ImportResult, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        numbers = {"ok": True, "dry_run": dry_run, **_numbers(outcome)}
        click.echo(json.dumps(numbers, ensure_ascii=False, default=str))
        return
    click.echo(_summary(outcome))
    if outcome.unused_columns:
        click.echo(gettext("Columnas sin usar: %(names)s.", names=", ".join(outcome.unused_columns)))
    if dry_run:
        click.echo(gettext("Es una prueba: no se ha cambiado nada."))


def _summary(outcome: ImportPreview | ImportResult) -> str:
    rows, created, updated = outcome.rows, outcome.created, outcome.updated
    restored, retired, changes = outcome.restored, outcome.retired, outcome.stock_changes
    parts = (
        ngettext("%(number)s producto nuevo", "%(number)s productos nuevos", created, number=format_number(created)),
        ngettext("%(number)s modificado", "%(number)s modificados", updated, number=format_number(updated)),
        ngettext("%(number)s restaurado", "%(number)s restaurados", restored, number=format_number(restored)),
        ngettext("%(number)s eliminado", "%(number)s eliminados", retired, number=format_number(retired)),
        gettext("%(number)s sin cambios", number=format_number(outcome.unchanged)),
        ngettext(
            "%(number)s cantidad cambiada", "%(number)s cantidades cambiadas", changes, number=format_number(changes)
        ),
    )
    read = ngettext("%(number)s fila", "%(number)s filas", rows, number=format_number(rows))
    return f"{read}: {', '.join(parts)}."


def _numbers(outcome: ImportPreview | ImportResult) -> dict[str, Any]:
    values = dataclasses.asdict(outcome)
    return {name: value for name, value in values.items() if name not in {"faults", "samples"}}


def _show_faults(error: RowsRefused, *, as_json: bool) -> None:
    faults = [fault for fault in error.faults if isinstance(fault, RowFault)]
    if as_json:
        described = [{**dataclasses.asdict(fault), "message": _text(fault)} for fault in faults]
        answer = {"ok": False, "code": error.code, "faults_total": error.total, "faults": described}
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    report_error(error)
    for fault in faults[:MOST_FAULTS_SHOWN]:
        where = gettext("fila %(row)s", row=fault.row) + (f", {fault.column}" if fault.column else "")
        click.echo(f"  {where}: {fault.value!r}: {_text(fault)}", err=True)
    if error.total > MOST_FAULTS_SHOWN:
        rest = error.total - MOST_FAULTS_SHOWN
        click.echo("  " + gettext("… y %(rest)s más; --json los muestra todos.", rest=format_number(rest)), err=True)


def _text(fault: RowFault) -> str:
    return row_fault_text(dataclasses.asdict(fault))


FORMATS: dict[str, ExportFormat] = {".xlsx": "xlsx", ".csv": "csv"}


def export_file(file: Path, *, search: str, category: str | None, status: str | None, location: str | None) -> None:
    """Write the products of the filter; the extension of the file decides the format."""
    chosen = FORMATS.get(file.suffix.lower())
    if chosen is None:
        raise click.UsageError(gettext("El nombre debe terminar en .xlsx o .csv: %(file)s", file=file.name))
    settings = Settings.from_environment()
    product_filter = ProductFilter(search=search, category=category, status=status, location=location)
    with inventory_session(settings) as inventory:
        rows = export_products(inventory, product_filter, file, chosen, language=command_language())
    click.echo(
        ngettext(
            "%(number)s producto exportado a %(file)s.",
            "%(number)s productos exportados a %(file)s.",
            rows,
            number=format_number(rows),
            file=file,
        )
    )
