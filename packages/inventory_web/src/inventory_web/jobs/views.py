"""The list of jobs, and the actions that cancel and repeat one."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from flask import Blueprint, abort, request, url_for
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from inventory_web.context import CurrentUser, current_inventory, current_user
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.http.responses import page_or_fragment, see_other
from inventory_web.http.urls import next_url
from inventory_web.jobs import queue
from inventory_web.jobs.execution import JobType
from inventory_web.jobs.models import REPEATABLE_STATES, Job, JobState, request_origin, require_result_of
from inventory_web.jobs.runner import current_runner
from inventory_web.roles import Role, requires
from inventory_web.settings import Settings

blueprint = Blueprint("jobs", __name__, template_folder="templates")


@blueprint.get("/work")
@requires(Role.VIEWER)
def index() -> Response:
    """Show the jobs of the user, or all that the user may see; the page polls while one of them is active."""
    account, runner = _account(), current_runner()
    kinds = [kind for kind in runner.job_types if account.may(kind.role)]
    mine = request.args.get("who") != "all"
    visible = {kind.name: account.name if mine else kind.only_of(account) for kind in kinds}
    found = [runner.with_progress(job) for job in queue.recent_jobs(current_inventory(), visible)]
    for job in found:
        require_result_of(job)
    return page_or_fragment(
        "jobs/index.html",
        "jobs/list.html",
        jobs=[(job, runner.job_type(job)) for job in found],
        busy=any(job.under_way for job in found),
        mine=mine,
        can_see_others=any(kind.only_of(account) is None for kind in kinds),
    )


@blueprint.post("/work/<job_id>/cancel")
@requires(Role.VIEWER)
def cancel(job_id: str) -> Response:
    """Cancel a job; a job that is over does not change."""
    job, kind = _visible(job_id)
    if job.under_way:
        current_runner().cancel(current_inventory(), job)
    return see_other(next_url(url_for(kind.endpoint, job_id=job_id)))


@blueprint.post("/work/<job_id>/again")
@requires(Role.VIEWER)
def again(job_id: str) -> Response:
    """Repeat a failed or cancelled job; a second click finds it active and only shows it."""
    job, kind = _visible(job_id)
    if job.state in REPEATABLE_STATES:
        waiting = replace(job, state=JobState.WAITING, stage="", done=0, total=0)
        origin = request_origin()
        stock = current_inventory()
        write = partial(queue.requeue, stock, job, job.step, from_states=REPEATABLE_STATES, request=origin)
        current_runner().submit(stock, waiting, write)
    return see_other(next_url(url_for(kind.endpoint, job_id=job_id)))


def _visible(job_id: str) -> tuple[Job, JobType]:
    runner = current_runner()
    job = runner.find(current_inventory(), job_id)
    kind = None if job is None else runner.job_type(job)
    if job is None or kind is None:
        abort(404)
    if not kind.may_see(_account(), job):
        abort(403)
    return job, kind


def _account() -> CurrentUser:
    account = current_user()
    if account is None:
        abort(403)
    return account


class JobsPlugin:
    """The list of jobs, and the URLs that cancel and repeat one; each job type has its own page."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        return [MenuEntry(lazy_gettext("Trabajos"), "jobs.index", "clock-history", order=55, more=True)]
