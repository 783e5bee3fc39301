"""An instance is killed in the middle of an import: the next one finishes it, once, without a user."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from inventory_core import Inventory, ProductFilter, count_products
from inventory_core.queries.movements import movement_history
from inventory_core.verification import verify
from inventory_web.db.models import JobRow
from inventory_web.jobs.models import JobState
from inventory_web.jobs.queue import LEASE
from tests.web.jobs.serving import eventually, found, kill, queue_import, serving

pytestmark = pytest.mark.slow
ROWS = 8_000
ALL = ROWS * 2


def test_an_import_whose_server_was_killed_is_ended_once_by_the_next_start(inventory: Inventory, file: Path) -> None:
    job_id = queue_import(inventory, "K", ROWS)
    settings = {"INVENTORY_DATABASE_URL": f"sqlite:///{file}"}
    with serving(settings) as process:
        eventually("the import has begun", lambda: found(inventory, job_id).state is JobState.WORKING)
        kill(process)
    killed = found(inventory, job_id)
    nothing_yet = count_products(inventory, ProductFilter(), ALL).number
    # As if the lease had run out.
    past = datetime.now(UTC) - LEASE - timedelta(seconds=1)
    inventory.sessions.write(lambda session: session.execute(update(JobRow).values(touched_at=past)))
    with serving(settings):
        eventually("the import is done", lambda: found(inventory, job_id).state is JobState.DONE)

    assert (killed.state, nothing_yet) == (JobState.WORKING, 0)
    assert found(inventory, job_id).attempts == 2
    assert count_products(inventory, ProductFilter(), ALL).number == ROWS
    assert len(movement_history(inventory, operation=job_id, size=500).rows) == 500
    assert verify(inventory).faults == ()


def test_a_stopped_server_hands_its_import_to_the_next_one_immediately(inventory: Inventory, file: Path) -> None:
    job_id = queue_import(inventory, "T", ROWS)
    settings = {"INVENTORY_DATABASE_URL": f"sqlite:///{file}"}
    with serving(settings) as process:
        eventually("the import has begun", lambda: found(inventory, job_id).state is JobState.WORKING)
        process.terminate()
        process.wait()
    given_back = found(inventory, job_id)
    with serving(settings):
        eventually("the import is done", lambda: found(inventory, job_id).state is JobState.DONE)

    assert given_back.state is JobState.WAITING
    assert count_products(inventory, ProductFilter(), ALL).number == ROWS
    assert verify(inventory).faults == ()
