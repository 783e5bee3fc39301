"""Processes over a source and two replicas: one of them is killed in the middle of an import, and the other goes on."""

import os
import signal
import uuid

import pytest

from inventory_core import Inventory, ProductFilter, count_products
from inventory_core.queries.movements import movement_history
from inventory_core.verification import verify
from inventory_web import Settings
from inventory_web.db.bootstrap import open_server
from inventory_web.jobs.models import JobState
from tests.web.jobs.serving import eventually, found, kill, queue_import, serving

pytestmark = pytest.mark.mysql
ROWS = 12_000


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """The settings of an instance, as its environment has them."""
    return {
        "INVENTORY_DATABASE_URL": settings.database_url.get_secret_value(),
        "INVENTORY_REPLICA_URLS": ",".join(settings.replica_urls),
        "INVENTORY_MONITOR_USER": settings.monitor_user,
        "INVENTORY_MONITOR_PASSWORD": settings.monitor_password.get_secret_value(),
        "INVENTORY_SECRET_KEY": settings.secret_key.get_secret_value(),
    }


def test_an_import_of_a_killed_instance_is_finished_once_by_another(
    settings: Settings, environment: dict[str, str]
) -> None:
    source = open_server(settings)
    inventory, prefix = Inventory(source), f"K{uuid.uuid4().hex[:6]}".upper()
    try:
        with serving(environment) as one, serving(environment) as other:
            # The other one is not to take it from the beginning.
            os.killpg(other.pid, signal.SIGSTOP)
            job_id = queue_import(inventory, prefix, ROWS)
            eventually("the import is being stored", lambda: found(inventory, job_id).stage == "writing")
            kill(one)
            os.killpg(other.pid, signal.SIGCONT)
            killed = found(inventory, job_id)
            nothing_yet = count_products(inventory, ProductFilter(search=prefix), ROWS).number
            eventually("the other has ended it", lambda: found(inventory, job_id).state is JobState.DONE)

        assert (killed.state, nothing_yet) == (JobState.WORKING, 0)
        assert found(inventory, job_id).attempts == 2
        assert count_products(inventory, ProductFilter(search=prefix), 2 * ROWS).number == ROWS
        assert len(movement_history(inventory, operation=job_id, size=500).rows) == 500
        assert verify(inventory).faults == ()
    finally:
        source.close()
