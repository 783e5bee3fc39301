"""Limits of jobs: one at a time for each slot of an instance, and quotas of jobs and stored bytes for each account."""

import io
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from inventory_web.blueprints.files.import_jobs import KIND_SLOT
from inventory_web.jobs import queue, runner
from tests.web.blueprints.site import Site
from tests.web.jobs.job_states import change, eventually, states
from tests.web.jobs.slow_jobs import SlowJobs

MakeSite = Callable[..., Site]


@pytest.fixture(autouse=True)
def _requests_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "WAIT_TIMEOUT_SECONDS", 0.05)


@pytest.mark.parametrize("same", [True, False])
def test_an_instance_works_on_one_job_of_a_slot_at_a_time(make_site: MakeSite, same: bool) -> None:
    """Two applications of one instance are what two processes of it are: they share the slot and no memory."""
    here, there = SlowJobs(slot="heavy"), SlowJobs(slot="heavy")
    one = make_site(here, instance="web1")
    before = workers()
    other = make_site(there, instance="web1" if same else "web2")
    try:
        one.operator.post("/slow/uno")
        eventually(lambda: here.begun == ["uno"])
        other.operator.post("/slow/dos")
        if same:
            # The thread that looked for work has found the slot taken, and ended.
            eventually(lambda: states(one).get("dos") == "waiting" and workers() == before + 1)
            assert there.begun == []
        else:
            eventually(lambda: there.begun == ["dos"])
        here.go.set()
        there.go.set()
        eventually(lambda: states(one) == {"uno": "done", "dos": "done"})
    finally:
        here.go.set()
        there.go.set()


def test_a_file_to_import_waits_for_other_work_of_its_slot(make_site: MakeSite) -> None:
    here = SlowJobs(slot=KIND_SLOT)
    one = make_site(here, instance="web1")
    before = workers()
    other = make_site(instance="web1")
    try:
        one.operator.post("/slow/uno")
        eventually(lambda: here.begun == ["uno"])
        file = (io.BytesIO(b"code,name\nA-1,Mesa\n"), "a.csv")
        imported = other.operator.post("/imports/new", {"file": file, "sheet": ""}).location.rpartition("/")[2]
        eventually(lambda: states(one).get(imported) == "waiting" and workers() == before + 1)
        here.go.set()
        eventually(lambda: states(one)["uno"] == "done")
        other.app.extensions[runner.EXTENSION].wake()
        eventually(lambda: states(one)[imported] == "ready")
    finally:
        here.go.set()


def workers() -> int:
    return sum(thread.name == "job-runner" for thread in threading.enumerate())


def test_jobs_of_an_account_have_a_quota(make_site: MakeSite, slow: SlowJobs) -> None:
    site = make_site(slow, jobs_per_account=2)
    for name in ("uno", "dos"):
        assert site.operator.post(f"/slow/{name}").status_code == 303

    refused = site.operator.post("/slow/tres")
    again = site.operator.post("/slow/dos")
    other = site.visitor("ada").post("/slow/cuatro")

    assert (refused.status_code, again.status_code, other.status_code) == (429, 303, 303)
    assert "Ya tiene 2 trabajos en marcha" in refused.text
    assert set(states(site)) == {"uno", "dos", "cuatro"}
    slow.go.set()
    eventually(lambda: set(states(site).values()) == {"done"})
    assert site.operator.post("/slow/tres").status_code == 303


def test_stored_files_of_an_account_have_a_quota(make_site: MakeSite) -> None:
    site = make_site(stored_mb_per_account=1)
    rows = "".join(f"{code},{'x' * 150}\n" for code in range(2_500))
    file = f"code,name\n{rows}".encode()

    def upload() -> int:
        return site.operator.post("/imports/new", {"file": (io.BytesIO(file), "a.csv"), "sheet": ""}).status_code

    assert [upload(), upload(), upload()] == [303, 303, 429]
    assert len(states(site)) == 2
    eventually(lambda: set(states(site).values()) == {"ready"})
    change(site, touched_at=datetime.now(UTC) - queue.KEEP_FILE - timedelta(seconds=1))
    queue.purge_expired(site.inventory, ["import"])
    assert upload() == 303
