"""Files that were made to harm the server: each is refused, once, and the processes that serve go on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from inventory_core import Inventory, ProductFilter, count_products
from inventory_web.jobs.models import JobState
from tests.core.imports import hostile_files as hostile
from tests.web.jobs.serving import children_of, eventually, found, queue_file, queue_import, serving

pytestmark = pytest.mark.slow
FILES: tuple[Callable[[], bytes], ...] = (
    hostile.far_cell,
    hostile.two_sheets_of_one_name,
    hostile.nested_cells,
    hostile.entities,
    hostile.endless_tag,
    hostile.shared_strings,
    hostile.cells_without_position,
    hostile.row_of_delimiters,
    # Within every limit but that of memory, for which its reader is ended.
    lambda: hostile.repeated_string(40_000),
)


def test_hostile_files_are_refused_once_and_the_server_stays_up(inventory: Inventory, file: Path) -> None:
    with serving({"INVENTORY_DATABASE_URL": f"sqlite:///{file}"}) as process:
        eventually("the workers run", lambda: children_of(process.pid))
        workers = children_of(process.pid)
        hostile_ids = [queue_file(inventory, make(), step="check", title="archivo") for make in FILES]
        harmless = queue_import(inventory, "H", 10)
        for job_id in (*hostile_ids, harmless):
            eventually("the job is over", lambda job_id=job_id: not found(inventory, job_id).under_way)  # type: ignore[misc]

        assert process.poll() is None
        assert workers <= children_of(process.pid)
    ended = [found(inventory, job_id) for job_id in hostile_ids]
    assert [(job.state, job.attempts, job.result["code"]) for job in ended] == [(JobState.REFUSED, 1, "INV-014")] * len(
        FILES
    )
    assert ended[-1].result["detail"] == "memory"
    assert found(inventory, harmless).state is JobState.DONE
    assert count_products(inventory, ProductFilter(), 100).number == 10
