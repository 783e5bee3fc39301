"""Jobs on each kind of database: taken once, kept by a lease, given back, with files in pieces."""

import io
import uuid
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlmodel import col

from inventory_core import Inventory, OperationReused
from inventory_web.db.models import JobRow
from inventory_web.jobs import files, queue
from inventory_web.jobs.models import Job, JobState
from inventory_web.jobs.queue import LEASE, MAX_ATTEMPTS, RETRY_DELAY, ClaimDecision, claimable, decide_claim
from tests.contracts.at_once import at_once
from tests.contracts.conftest import MakeInventory

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
AGES = (timedelta(0), RETRY_DELAY - SECOND, RETRY_DELAY, LEASE - SECOND, LEASE, timedelta(days=2))


def new_job(**values: Any) -> Job:
    given: dict[str, Any] = {
        "id": uuid.uuid4().hex,
        "kind": "import",
        "step": "check",
        "title": "año 😀.csv",
        "request": {"sheet": "Hoja «1»"},
        "actor": "olga",
        "state": JobState.WAITING,
        "created_at": NOW,
    }
    return Job(**{**given, **values})


def take(inventory: Inventory, worker: str = "a worker", *excluding: str) -> Job | None:
    return queue.claim_next(
        inventory, worker, ("import",), excluding=excluding, abandoned_outcome=lambda: {"code": "WEB-012"}
    )


def change(inventory: Inventory, **values: Any) -> None:
    inventory.sessions.write(lambda session: session.execute(update(JobRow).values(**values)))


def state_of(inventory: Inventory, job: Job) -> JobState:
    found = queue.find_job(inventory, job.id)
    assert found is not None
    return found.state


def test_the_statement_takes_what_the_decision_takes(inventory: Inventory) -> None:
    cases: list[dict[str, Any]] = [
        {"id": f"{number:04}", "state": state, "touched_at": NOW - age, "attempts": attempts}
        for number, (state, age, attempts) in enumerate(product(JobState, AGES, (0, 1, MAX_ATTEMPTS - 1, MAX_ATTEMPTS)))
    ]
    others = {"kind": "import", "step": "check", "title": "", "request": "{}", "actor": "olga", "created_at": NOW}
    rows = [others | queue.INITIAL_VALUES | {"size": 0, "outcome": ""} | case for case in cases]
    inventory.sessions.write(lambda session: session.execute(insert(JobRow), rows))
    with inventory.sessions.reader() as session:
        found = set(session.scalars(select(col(JobRow.id)).where(claimable(NOW))))

    expected = {
        case["id"]
        for case in cases
        if decide_claim(JobState(case["state"]), case["touched_at"], case["attempts"], NOW) is not ClaimDecision.LEAVE
    }
    assert found == expected
    assert 0 < len(found) < len(cases)


def test_of_many_workers_one_gets_the_job(make_inventory: MakeInventory) -> None:
    inventories = [make_inventory() for _ in range(4)]
    job = new_job()
    queue.add_job(inventories[0], job)
    taken = at_once(4, lambda which: take(inventories[which], f"worker {which}"))

    assert [each.id for each in taken if each is not None] == [job.id]


def test_the_oldest_job_comes_first_and_one_that_is_ours_is_passed_over(make_inventory: MakeInventory) -> None:
    first, second = make_inventory(clock=lambda: NOW), make_inventory(clock=lambda: NOW + SECOND)
    older, newer = new_job(), new_job()
    queue.add_job(second, newer)
    queue.add_job(first, older)
    ours = take(second, "one", older.id)
    other = take(second, "two")

    assert ours is not None
    assert other is not None
    assert (ours.id, other.id) == (newer.id, older.id)
    assert other.request == {"sheet": "Hoja «1»"}
    assert other.title == "año 😀.csv"


def test_a_worker_keeps_its_job_by_telling_how_far_it_is_until_another_has_it(make_inventory: MakeInventory) -> None:
    one, other = make_inventory(), make_inventory()
    job = new_job()
    queue.add_job(one, job)
    assert take(one, "one") is not None
    change(one, touched_at=NOW)
    reported: dict[str, Any] = {"stage": "writing", "done": 5, "total": 10, "remaining": 7.4}
    assert queue.renew(other, job.id, "one", **reported) is False
    assert take(other, "two") is None
    change(one, touched_at=NOW)
    assert take(other, "two") is not None

    with pytest.raises(queue.LeaseLost):
        queue.renew(other, job.id, "one", **reported)
    with pytest.raises(queue.LeaseLost):
        queue.finish(other, job.id, "one", JobState.DONE, outcome={}, keep_file=False)
    with pytest.raises(queue.LeaseLost):
        queue.release(other, job.id, "one", immediately=True)
    assert state_of(other, job) is JobState.WORKING


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_lease_follows_the_clock_of_the_database_and_not_that_of_an_instance(
    make_inventory: MakeInventory, hours: int
) -> None:
    here, wrong = make_inventory(), make_inventory(clock=lambda: datetime.now(UTC) + timedelta(hours=hours))
    living, kept = new_job(), new_job()
    queue.add_job(here, living)
    assert take(here, "one") is not None
    queue.add_job(wrong, kept)
    assert take(wrong, "two") is not None

    for inventory in (here, wrong):
        assert not queue.has_due_job(inventory, ["import"])
        assert take(inventory, "three") is None
        assert [job.interrupted for job in queue.recent_jobs(inventory, {"import": None})] == [False, False]
    change(here, touched_at=datetime.now(UTC) - LEASE - SECOND)
    assert all(queue.has_due_job(inventory, ["import"]) for inventory in (here, wrong))
    assert {found.id for found in (take(here, "three"), take(wrong, "four")) if found} == {living.id, kept.id}


def test_a_job_that_was_started_too_often_fails(inventory: Inventory) -> None:
    job = new_job()
    queue.add_job(inventory, job)
    change(inventory, state=JobState.WORKING, attempts=MAX_ATTEMPTS, touched_at=NOW)

    assert take(inventory) is None
    found = queue.find_job(inventory, job.id)
    assert found is not None
    assert (found.state, found.result) == (JobState.FAILED, {"code": "WEB-012"})


def test_cancelling_ends_waiting_jobs_and_notifies_workers(make_inventory: MakeInventory) -> None:
    one, other = make_inventory(), make_inventory()
    waiting, working = new_job(), new_job()
    queue.add_job(one, waiting)
    queue.request_cancel(other, waiting.id)
    queue.add_job(one, working)
    assert take(one, "one") is not None
    queue.request_cancel(other, working.id)

    assert state_of(one, waiting) is JobState.CANCELLED
    assert queue.renew(one, working.id, "one", stage="", done=0, total=0, remaining=None) is True
    queue.finish(one, working.id, "one", JobState.CANCELLED, outcome=None, keep_file=True)
    assert state_of(other, working) is JobState.CANCELLED


def test_a_form_that_comes_in_twice_at_once_makes_one_job_and_no_one_takes_the_id_of_another(
    make_inventory: MakeInventory,
) -> None:
    inventories = [make_inventory(), make_inventory()]
    job = new_job()
    at_once(2, lambda which: queue.add_job(inventories[which], job, io.BytesIO(b"some content")))
    with pytest.raises(OperationReused):
        queue.add_job(inventories[0], new_job(id=job.id, actor="ada"))

    target = io.BytesIO()
    assert files.copy_file(inventories[1], job.id, target)
    assert target.read() == b"some content"
    assert len(queue.recent_jobs(inventories[0], {"import": None})) == 1


def test_a_file_is_stored_while_it_is_written_and_a_second_try_replaces_it(
    make_inventory: MakeInventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CHUNK_BYTES", 10)
    here, there = make_inventory(), make_inventory()
    job = new_job()
    queue.add_job(here, job)
    assert take(here, "one") is not None
    content, sizes = b"", []
    for content in (b"the first try was longer than the second", b"the second try\x00\xff"):
        writer = files.ChunkWriter(job.id, lambda work: queue.store(here, job.id, "one", work))
        for place in range(0, len(content), 7):
            writer.write(content[place : place + 7])
        writer.finish()
        sizes.append(writer.size)

    assert sizes == [40, len(content)]
    assert b"".join(files.stream_file(there, job.id, files.numbers_of(there, job.id))) == content


def test_old_files_and_old_jobs_are_cleared_away_but_not_what_lasts(inventory: Inventory) -> None:
    done, failed, waiting = new_job(), new_job(), new_job()
    for job in (done, failed, waiting):
        queue.add_job(inventory, job, io.BytesIO(b"content"))
    for job, state in ((done, JobState.DONE), (failed, JobState.FAILED)):
        change_one(inventory, job, state=state)

    change(inventory, touched_at=datetime.now(UTC) - queue.KEEP_FILE - SECOND)
    queue.purge_expired(inventory, ["import"])
    kept = [bool(files.numbers_of(inventory, job.id)) for job in (done, failed, waiting)]
    change(inventory, touched_at=datetime.now(UTC) - queue.KEEP_JOB - SECOND)
    queue.purge_expired(inventory, ["import"])
    left = {job.id for job in queue.recent_jobs(inventory, {"import": None})}

    assert kept == [False, False, True]
    assert left == {done.id, waiting.id}


def change_one(inventory: Inventory, job: Job, **values: Any) -> None:
    statement = update(JobRow).where(col(JobRow.id) == job.id).values(**values)
    inventory.sessions.write(lambda session: session.execute(statement))
