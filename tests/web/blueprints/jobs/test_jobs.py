"""Long work in the list: several at once, cancelled, repeated, and gone on with by others when its process ends."""

import io
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inventory_core import ProposedChange, StorageRefused, hookimpl, undo_import
from inventory_core.verification import verify
from inventory_web.jobs import queue, runner
from inventory_web.jobs.models import Job, JobState
from tests.web.blueprints.site import Site
from tests.web.jobs.job_states import change, eventually, silence, states
from tests.web.jobs.slow_jobs import WAIT_TIMEOUT_SECONDS, SlowJobs

MakeSite = Callable[..., Site]


@pytest.fixture(autouse=True)
def _requests_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "WAIT_TIMEOUT_SECONDS", 0.05)


def test_several_jobs_are_shown_at_once_and_the_third_waits_for_its_turn(make_site: MakeSite, slow: SlowJobs) -> None:
    site = make_site(slow)
    for name in ("uno", "dos", "tres"):
        assert site.operator.post(f"/slow/{name}").status_code == 303
    eventually(lambda: len(slow.begun) == 2)
    page = site.operator.get("/work").text

    assert "3 trabajos en marcha" in page
    assert page.count("/cancel") == 3
    assert page.count("Espera su turno") == 1
    assert 'data-hx-get="/work" data-hx-trigger="every 1s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page

    slow.go.set()
    eventually(lambda: states(site) == {"uno": "done", "dos": "done", "tres": "done"})
    page = site.operator.get("/work").text
    assert "Ningún trabajo en marcha" in page
    assert "every 1s" not in page
    assert sorted(slow.ended) == ["dos", "tres", "uno"]


def test_a_job_whose_end_is_written_down_is_over_before_its_worker_turns_to_the_next(
    make_site: MakeSite, slow: SlowJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, looked_at = threading.Event(), threading.Event()
    finish = queue.finish

    def finish_and_linger(*what: Any, **how: Any) -> None:
        finish(*what, **how)
        written.set()
        looked_at.wait(WAIT_TIMEOUT_SECONDS)

    monkeypatch.setattr(queue, "finish", finish_and_linger)
    site = make_site(slow)
    slow.go.set()
    site.operator.post("/slow/uno")

    assert written.wait(WAIT_TIMEOUT_SECONDS)
    page = site.operator.get("/work").text
    looked_at.set()

    assert "Ningún trabajo en marcha" in page


def test_a_job_is_cancelled_while_it_runs_and_one_that_waits_at_once(make_site: MakeSite, slow: SlowJobs) -> None:
    site = make_site(slow)
    for name in ("uno", "dos", "tres"):
        site.operator.post(f"/slow/{name}")
    eventually(lambda: len(slow.begun) == 2)
    waiting = ({"uno", "dos", "tres"} - set(slow.begun)).pop()

    for name in (waiting, slow.begun[0]):
        assert site.operator.post(f"/work/{name}/cancel", {"next": "/work"}).location == "/work"
    eventually(lambda: states(site)[slow.begun[0]] == "cancelled")

    assert states(site)[waiting] == "cancelled"
    assert states(site)[slow.begun[1]] == "working"
    assert slow.ended == []


def test_a_job_is_cancelled_on_another_instance_than_the_one_that_works(make_site: MakeSite, slow: SlowJobs) -> None:
    here, there = make_site(slow), make_site(SlowJobs())
    here.operator.post("/slow/uno")
    eventually(lambda: slow.begun == ["uno"])

    there.operator.post("/work/uno/cancel")
    eventually(lambda: states(there) == {"uno": "cancelled"})

    assert slow.ended == []


def test_a_job_that_is_over_is_not_cancelled(make_site: MakeSite, slow: SlowJobs) -> None:
    site = make_site(slow)
    slow.go.set()
    site.operator.post("/slow/uno")
    eventually(lambda: states(site) == {"uno": "done"})

    assert site.operator.post("/work/uno/cancel").status_code == 303
    assert states(site) == {"uno": "done"}


def test_a_cancelled_job_can_be_done_again(make_site: MakeSite, slow: SlowJobs) -> None:
    site = make_site(slow)
    site.operator.post("/slow/uno")
    eventually(lambda: slow.begun == ["uno"])
    site.operator.post("/work/uno/cancel")
    eventually(lambda: states(site) == {"uno": "cancelled"})

    slow.go.set()
    for _ in range(2):
        assert site.operator.post("/work/uno/again").status_code == 303
    eventually(lambda: states(site) == {"uno": "done"})

    assert slow.ended == ["uno"]


def test_what_a_dead_instance_left_behind_is_taken_up_by_one_that_serves(make_site: MakeSite, slow: SlowJobs) -> None:
    dead, alive = make_site(slow), make_site(other := SlowJobs())
    dead.operator.post("/slow/uno")
    eventually(lambda: slow.begun == ["uno"])
    silence(dead)
    other.go.set()

    runner.start(alive.app)
    eventually(lambda: states(alive) == {"uno": "done"})

    assert other.ended == ["uno"]
    eventually(lambda: not alive.app.extensions[runner.EXTENSION].find(alive.inventory, "uno").under_way)
    slow.go.set()
    time.sleep(0.1)
    assert states(alive) == {"uno": "done"}


def test_an_instance_that_ends_hands_its_jobs_to_another_at_once(make_site: MakeSite, slow: SlowJobs) -> None:
    ending, other = make_site(slow), make_site(alive := SlowJobs())
    ending.operator.post("/slow/uno")
    eventually(lambda: slow.begun == ["uno"])

    ending.app.extensions[runner.EXTENSION].stop()

    assert states(other) == {"uno": "waiting"}
    alive.go.set()
    other.app.extensions[runner.EXTENSION].wake()
    eventually(lambda: states(other) == {"uno": "done"})
    assert (slow.ended, alive.ended) == ([], ["uno"])


@pytest.mark.slow
def test_a_job_that_crashes_every_instance_fails_with_a_reason(make_site: MakeSite, slow: SlowJobs) -> None:
    site = make_site(slow)
    site.operator.post("/slow/uno")
    eventually(lambda: slow.begun == ["uno"])
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    change(site, worker="another", attempts=queue.MAX_ATTEMPTS, touched_at=long_ago)

    site.app.extensions[runner.EXTENSION].wake()
    eventually(lambda: states(site) == {"uno": "failed"})
    with site.app.app_context():
        outcome = site.app.extensions[runner.EXTENSION].job_types and queue.find_job(site.inventory, "uno")

    assert outcome
    assert outcome.result["code"] == "WEB-012"


def test_a_database_that_is_away_for_a_while_only_puts_the_job_off(
    make_site: MakeSite, slow: SlowJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "RETRY_DELAY", timedelta(0))
    site = make_site(slow)
    slow.errors.append(StorageRefused("away"))
    slow.go.set()
    site.operator.post("/slow/uno")

    eventually(lambda: states(site) == {"uno": "done"})
    assert slow.begun == ["uno", "uno"]
    assert slow.ended == ["uno"]


def test_private_jobs_are_invisible_to_other_users(make_site: MakeSite, slow: SlowJobs) -> None:
    site = make_site(slow)
    site.operator.post("/slow/secreto")
    viewer, admin = site.visitor("vera"), site.visitor("ada")

    assert [viewer.post(f"/work/secreto/{verb}").status_code for verb in ("cancel", "again")] == [403, 403]
    assert "secreto" not in viewer.get("/work", who="all").text
    assert "secreto" not in admin.get("/work").text
    assert "secreto" in admin.get("/work", who="all").text
    assert admin.post("/work/secreto/cancel").status_code == 303
    assert viewer.post("/work/nada/cancel").status_code == 404


def test_a_worker_that_has_lost_its_job_writes_nothing_more_about_it(make_site: MakeSite, slow: SlowJobs) -> None:
    site = make_site(slow)
    site.operator.post("/slow/uno")
    eventually(lambda: slow.begun == ["uno"])
    change(site, worker="another", touched_at=datetime.now(UTC))

    with pytest.raises(queue.LeaseLost):
        queue.finish(site.inventory, "uno", "somebody", JobState.DONE, outcome={}, keep_file=False)
    eventually(lambda: site.operator.get("/slow/uno").text.startswith("working False"))
    slow.go.set()
    time.sleep(0.1)

    assert states(site) == {"uno": "working"}


class Held:
    """Holds an import up in the middle of its transaction."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go = threading.Event()

    @hookimpl
    def check_stock_change(self, change: ProposedChange) -> None:
        if change.actor and change.code == "LENTO":
            self.reached.set()
            self.go.wait(WAIT_TIMEOUT_SECONDS)


@pytest.mark.slow
def test_while_an_import_is_stored_the_next_one_waits_and_says_so_and_the_first_can_be_cancelled(
    make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough for the lease to run out: the import is still this process's own.
    monkeypatch.setattr(queue, "LEASE", timedelta(0))
    held = Held()
    site = make_site(held, patience=0.2)
    first, second = uploaded(site, "LENTO"), uploaded(site, "B")
    site.operator.post(f"{first}/confirm")
    assert held.reached.wait(WAIT_TIMEOUT_SECONDS)

    confirmed = site.operator.post(f"{second}/confirm")
    page = site.operator.get(second).text
    file = {"file": (io.BytesIO(b"code,name\nC,Silla\n"), "C.csv"), "sheet": ""}
    third = site.operator.post("/imports/new", file).location
    assert "Espera su turno" in site.operator.get(third).text
    cancelling = site.operator.post(first.replace("/imports/", "/work/") + "/cancel")

    assert (confirmed.status_code, cancelling.status_code) == (303, 303)
    assert "Espera su turno" in page
    assert "Se está cancelando" in site.operator.get(first).text
    held.go.set()
    eventually(lambda: "Cancelada" in site.operator.get(first).text)
    eventually(lambda: "Importada" in site.operator.get(second).text)
    eventually(lambda: "Importar ahora" in site.operator.get(third).text)
    assert "LENTO" not in site.operator.get("/inventory").text
    assert site.quantity("B") == 3

    site.operator.post(f"{first}/confirm")
    eventually(lambda: "Importada" in site.operator.get(first).text)
    assert site.quantity("LENTO") == 3


def test_an_undo_of_an_import_goes_on_after_its_request_and_can_be_cancelled(make_site: MakeSite) -> None:
    held = Held()
    held.go.set()
    site = make_site(held, patience=0.2)
    address = uploaded(site, "LENTO")
    site.operator.post(f"{address}/confirm")
    eventually(lambda: "Importada" in site.operator.get(address).text)
    begun = None
    for cancelled in (True, False):
        held.go.clear()
        held.reached.clear()
        begun = site.operator.post(f"{address}/undo")
        assert held.reached.wait(WAIT_TIMEOUT_SECONDS)

        assert begun.status_code == 303
        assert begun.location.startswith("/imports/undo/")
        assert "Deshaciendo la importación" in site.operator.get(begun.location).text
        assert site.quantity("LENTO") == 3
        if cancelled:
            site.operator.post(begun.location.replace("/imports/undo/", "/work/") + "/cancel")
        held.go.set()
        end = "Cancelado" if cancelled else "Importación deshecha"
        eventually(lambda link=begun.location, end=end: end in site.operator.get(link).text)  # type: ignore[misc]
        assert ("Deshecha" in site.operator.get(address).text) is not cancelled

    assert begun is not None
    assert "1 producto y 1 movimiento" in site.operator.get(begun.location).text
    assert verify(site.inventory).faults == ()


def test_an_undo_whose_instance_died_after_it_is_written_down_once(make_site: MakeSite) -> None:
    site = make_site()
    address = uploaded(site, "A")
    site.operator.post(f"{address}/confirm")
    eventually(lambda: "Importada" in site.operator.get(address).text)
    imported = address.rpartition("/")[2]
    given = {"import": imported, "by": "olga", "address": "", "request_id": "", "language": "es", "token": ""}
    job = Job("undo-1", "undo_import", "undo", "A.csv", given, "olga", JobState.WAITING, datetime.now(UTC))
    undo_import(site.inventory, import_operation=imported, actor="olga", operation=job.id)
    queue.add_job(site.inventory, job)
    assert "Importada" in site.operator.get(address).text

    site.app.extensions[runner.EXTENSION].wake()
    eventually(lambda: "Deshecha" in site.operator.get(address).text)

    assert "1 producto y 1 movimiento" in site.operator.get("/imports/undo/undo-1").text
    assert verify(site.inventory).faults == ()


def test_a_job_that_is_written_down_while_it_is_cancelled_is_cancelled(make_site: MakeSite, slow: SlowJobs) -> None:
    site = make_site(slow)
    job_runner = site.app.extensions[runner.EXTENSION]
    cancelling = threading.Event()
    given: dict[str, Any] = {"id": "uno", "kind": "slow", "step": "wait", "request": {}, "actor": "olga"}
    given |= {"state": JobState.WAITING, "created_at": datetime.now(UTC)}

    class HesitantJob(Job):
        """Its cancellation begins, and then waits a moment for the thread that writes the job down."""

        def __init__(self, **values: Any) -> None:
            super().__init__(**values)
            if values.get("cancelling"):
                cancelling.set()
                until = time.monotonic() + 0.5
                while (
                    job_runner.with_progress(Job(**given, title="not pending")).title == "pending"
                    and time.monotonic() < until
                ):
                    time.sleep(0.01)

    job = HesitantJob(**given, title="pending")

    def write() -> None:
        cancelling.wait(WAIT_TIMEOUT_SECONDS)
        queue.add_job(site.inventory, job)

    with site.app.app_context():
        job_runner.submit(site.inventory, job, write)
        job_runner.cancel(site.inventory, job)

    eventually(lambda: states(site) == {"uno": "cancelled"})
    eventually(lambda: "Ningún trabajo en marcha" in site.operator.get("/work").text)


@pytest.mark.parametrize("action", ["cancel", "again"])
def test_a_job_of_a_plugin_that_is_gone_is_not_found(make_site: MakeSite, slow: SlowJobs, action: str) -> None:
    slow.go.set()
    before = make_site(slow)
    before.operator.post("/slow/uno")
    eventually(lambda: states(before) == {"uno": "done"})

    site = make_site()

    assert site.operator.post(f"/work/uno/{action}").status_code == 404
    assert site.operator.get("/work").status_code == 200


def uploaded(site: Site, code: str) -> str:
    file = (io.BytesIO(f"code,name,quantity\n{code},Mesa,3\n".encode()), f"{code}.csv")
    address = site.operator.post("/imports/new", {"file": file, "sheet": ""}).location
    time.sleep(1)
    eventually(lambda: "Importar ahora" in site.operator.get(address).text)
    return address
