"""A kind of work that lasts until a test lets it go on."""

import threading
from collections.abc import Sequence

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from inventory_core.errors import InventoryError
from inventory_web.context import current_actor, current_inventory
from inventory_web.hookspecs import hookimpl
from inventory_web.http.responses import see_other
from inventory_web.jobs import queue
from inventory_web.jobs.execution import JobContext, JobResult, JobType
from inventory_web.jobs.models import Job, JobState, request_origin
from inventory_web.jobs.runner import current_runner, register_job_type
from inventory_web.roles import Role, requires

WAIT_TIMEOUT_SECONDS = 30


class SlowJobs:
    """Brings `POST /slow/<id>`; each job reports all the time, and ends once `go` is set, or with `error`."""

    def __init__(self, *, slot: str = "") -> None:
        self._slot = slot
        self.go = threading.Event()
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.errors: list[InventoryError] = []

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        blueprint = Blueprint("slow", __name__)
        blueprint.add_url_rule("/slow/<job_id>", "begin", self._begin, methods=["POST"])
        blueprint.add_url_rule("/slow/<job_id>", "show", self._show)
        register_job_type(
            blueprint,
            JobType(
                "slow",
                "Lento",
                "slow.show",
                "tag",
                Role.VIEWER,
                {"wait": self._wait},
                _state,
                private=True,
                slot=self._slot,
            ),
        )
        return [blueprint]

    @requires(Role.VIEWER)
    def _begin(self, job_id: str) -> Response:
        stock = current_inventory()
        job = Job(job_id, "slow", "wait", job_id, request_origin(), current_actor(), JobState.WAITING, stock.clock())
        current_runner().submit(stock, job, lambda: queue.add_job(stock, job))
        return see_other(url_for("slow.show", job_id=job_id))

    @requires(Role.VIEWER)
    def _show(self, job_id: str) -> str:
        job = current_runner().find(current_inventory(), job_id)
        assert job is not None
        return f"{job.state} {job.cancelling} {request.endpoint}"

    def _wait(self, context: JobContext) -> JobResult:
        self.begun.append(context.job.id)
        for number in range(WAIT_TIMEOUT_SECONDS * 100):
            context.progress(number, WAIT_TIMEOUT_SECONDS * 100, "collecting")
            if self.go.wait(0.01):
                break
        if self.errors:
            raise self.errors.pop()
        self.ended.append(context.job.id)
        return JobResult(JobState.DONE, {"rows": 1}, keep_file=False)


def _state(job: Job) -> str:
    return f"estado {job.state}"
