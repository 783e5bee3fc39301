"""The shipped server as processes that can be killed."""

import io
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from inventory_core import Inventory
from inventory_web.jobs import queue
from inventory_web.jobs.models import Job, JobState

PATIENCE_SECONDS = 120


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """`inventory serve` with these settings, from the moment on when it listens."""
    command = [str(Path(sys.executable).with_name("inventory")), "serve", "--port", "0"]
    reported = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
    with subprocess.Popen(command, env=reported, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            assert any(re.search(r"http://\S+", line) for line in process.stdout)
            yield process
        finally:
            kill(process)


def kill(process: "subprocess.Popen[str]") -> None:
    """End the server and its worker as a power cut would."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def children_of(pid: int) -> set[int]:
    """The processes that a process has started and that still run."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return {int(child) for child in path.read_text("ascii").split()}


def queue_import(inventory: Inventory, prefix: str, rows: int) -> str:
    """Queue an import that a person has confirmed; return the job's id."""
    lines = "".join(f"{prefix}-{number:06},Pieza {number},{number % 50 + 1}\n" for number in range(rows))
    return queue_file(inventory, b"code,name,quantity\n" + lines.encode(), step="import", title="piezas.csv")


def queue_file(inventory: Inventory, content: bytes, *, step: str, title: str) -> str:
    """Queue this step of the import of a file; return the job's id."""
    job = Job(
        id=uuid.uuid4().hex,
        kind="import",
        step=step,
        title=title,
        request={"sheet": "", "by": "olga"},
        actor="olga",
        state=JobState.WAITING,
        created_at=inventory.clock(),
    )
    queue.add_job(inventory, job, io.BytesIO(content))
    return job.id


def found(inventory: Inventory, job_id: str) -> Job:
    job = queue.find_job(inventory, job_id)
    assert job is not None
    return job


def eventually(what: str, holds: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, f"not in time: {what}"
        time.sleep(0.01)
