"""What the tests of jobs read and change in the list of jobs."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update

from inventory_web.db.models import JobRow
from inventory_web.jobs import queue
from tests.web.blueprints.site import Site
from tests.web.jobs.slow_jobs import WAIT_TIMEOUT_SECONDS


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_TIMEOUT_SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def states(site: Site) -> dict[str, str]:
    """The state of each job, as the database has it."""
    kinds = {"slow": None, "import": None, "export": None}
    return {job.id: str(job.state) for job in queue.recent_jobs(site.inventory, kinds)}


def silence(site: Site) -> None:
    """Let the worker of every job be one that has not been heard of for long."""
    change(site, worker="dead", touched_at=datetime.now(UTC) - timedelta(hours=1))


def change(site: Site, **values: Any) -> None:
    site.inventory.sessions.write(lambda session: session.execute(update(JobRow).values(**values)))
