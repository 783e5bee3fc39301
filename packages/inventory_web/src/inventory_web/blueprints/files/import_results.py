"""Previews, results and refusals as JSON values for the database."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from inventory_core import FileRefused, ImportPreview, ImportResult, RowFault, RowsRefused

COUNTS = ("created", "updated", "restored", "retired", "unchanged", "stock_changes")
MOST_FAULTS = 200
MOST_NAMES = 50


def counts_of(result: ImportPreview | ImportResult) -> dict[str, Any]:
    """Encode a preview or a result: counts, new names, faults and the first changes."""
    faults = result.faults if isinstance(result, ImportPreview) else ()
    samples = result.samples if isinstance(result, ImportPreview) else ()
    return {
        "kind": result.kind,
        "rows": result.rows,
        "counts": {name: getattr(result, name) for name in COUNTS},
        "new_categories": list(result.new_categories)[:MOST_NAMES],
        "new_locations": list(result.new_locations)[:MOST_NAMES],
        "unused_columns": list(result.unused_columns)[:MOST_NAMES],
        "faults": [asdict(fault) for fault in faults[:MOST_FAULTS]],
        "faults_total": result.faults_total if isinstance(result, ImportPreview) else 0,
        "samples": [asdict(sample) for sample in samples],
    }


def refusal_of(error: FileRefused) -> dict[str, Any]:
    """Encode why the file as a whole is refused."""
    return {"reason": error.reason, "detail": error.detail, "code": error.code}


def rows_refused(before: Mapping[str, Any], error: RowsRefused) -> dict[str, Any]:
    """Encode the preview again, with new faults."""
    faults = [asdict(fault) for fault in error.faults[:MOST_FAULTS] if isinstance(fault, RowFault)]
    return {**before, "faults": faults, "faults_total": error.total}
