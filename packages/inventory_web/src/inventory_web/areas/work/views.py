"""The list of jobs; cancel one, repeat one."""

from dataclasses import replace
from functools import partial

from flask import Blueprint, abort, request, url_for
from werkzeug.wrappers import Response

from inventory_web.addresses import next_address
from inventory_web.current import Account, the_account, the_inventory
from inventory_web.htmx import page_or_fragment, see_other
from inventory_web.long_work import jobs
from inventory_web.long_work.circumstances import see_result_of, the_circumstances
from inventory_web.long_work.kinds import WorkKind
from inventory_web.long_work.states import REPEATABLE, Job, State
from inventory_web.long_work.workshop import the_workshop
from inventory_web.roles import Role, requires

blueprint = Blueprint("work", __name__, template_folder="templates")


@blueprint.get("/work")
@requires(Role.VIEWER)
def index() -> Response:
    """The jobs of the person, or all that the person may see; the page asks again while one of them is under way."""
    account, workshop = _account(), the_workshop()
    kinds = [kind for kind in workshop.kinds if account.may(kind.role)]
    mine = request.args.get("who") != "all"
    visible = {kind.name: account.name if mine else kind.only_of(account) for kind in kinds}
    found = [workshop.as_known(job) for job in jobs.recent_jobs(the_inventory(), visible)]
    for job in found:
        see_result_of(job)
    return page_or_fragment(
        "work/index.html",
        "work/list.html",
        jobs=[(job, workshop.kind(job)) for job in found],
        busy=any(job.under_way for job in found),
        mine=mine,
        can_see_others=any(kind.only_of(account) is None for kind in kinds),
    )


@blueprint.post("/work/<job_id>/cancel")
@requires(Role.VIEWER)
def cancel(job_id: str) -> Response:
    """Cancel a job; one that is over stays as it is."""
    job, kind = _visible(job_id)
    if job.under_way:
        the_workshop().cancel(the_inventory(), job)
    return see_other(next_address(url_for(kind.endpoint, job_id=job_id)))


@blueprint.post("/work/<job_id>/again")
@requires(Role.VIEWER)
def again(job_id: str) -> Response:
    """Do again what failed or was cancelled; a second click finds it under way and only shows it."""
    job, kind = _visible(job_id)
    if job.state in REPEATABLE:
        waiting = replace(job, state=State.WAITING, stage="", done=0, total=0)
        told = the_circumstances()
        stock = the_inventory()
        write = partial(jobs.queue_again, stock, job, job.step, from_states=REPEATABLE, request=told)
        the_workshop().submit(stock, waiting, write)
    return see_other(next_address(url_for(kind.endpoint, job_id=job_id)))


def _visible(job_id: str) -> tuple[Job, WorkKind]:
    workshop = the_workshop()
    job = workshop.find(the_inventory(), job_id)
    kind = None if job is None else workshop.kind(job)
    if job is None or kind is None:
        abort(404)
    if not kind.may_see(_account(), job):
        abort(403)
    return job, kind


def _account() -> Account:
    account = the_account()
    if account is None:
        abort(403)
    return account
