"""A planned change of the source: under load nothing acknowledged is lost, and a refusal leaves everything as it was."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pymysql
import pytest

from inventory_replication.errors import SwitchoverRefused
from inventory_replication.provisioning.apply import provision
from inventory_replication.provisioning.plan.desired_state import Role
from inventory_replication.provisioning.plan.steps import SetReadOnly, Step
from inventory_replication.provisioning.switchover import switchover
from tests.replication.mysql.servers import MySQLServer, eventually
from tests.replication.provisioning.trial import ACCOUNTS, Trial, fill, in_step, interrupted_before

pytestmark = pytest.mark.mysql

WRITERS = 3


class Writers:
    """Threads that write rows as the application, each to whichever server takes them, and note what was acknowledged."""

    def __init__(self, servers: tuple[MySQLServer, ...]) -> None:
        self.acknowledged: list[int] = []
        self.refused = 0
        self._servers = servers
        self._numbers = itertools.count(1)
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(WRITERS)]

    @contextmanager
    def writing(self) -> Iterator["Writers"]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._end.set()
            for thread in self._threads:
                thread.join()

    def wait_for(self, more: int) -> None:
        """Wait until this number of further rows is acknowledged."""
        goal = len(self.acknowledged) + more
        eventually(f"{more} more rows are written", lambda: len(self.acknowledged) >= goal)

    def _write(self) -> None:
        at = 0
        with ExitStack() as opened:
            connections = [
                opened.enter_context(server.connect(ACCOUNTS[Role.APP], database="inventory"))
                for server in self._servers
            ]
            while not self._end.is_set():
                number = next(self._numbers)
                while True:
                    with connections[at].cursor() as cursor:
                        try:
                            cursor.execute("INSERT INTO stock (note) VALUES (%s)", (str(number),))
                        except pymysql.err.OperationalError as error:
                            if "read-only" not in str(error):
                                raise
                            self.refused += 1
                            at = (at + 1) % len(connections)
                            time.sleep(0.005)
                            continue
                    self.acknowledged.append(number)
                    break


@pytest.fixture
def pair(trial: Trial) -> Trial:
    """A source and a replica with some rows."""
    trial.provision()
    trial.one.query("CREATE TABLE inventory.stock (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(40))")
    in_step(trial.one, trial.two)
    return trial


def is_source(server: MySQLServer, replica: MySQLServer) -> bool:
    """Whether it takes writes until its next restart, and the other follows it and refuses them."""
    find_leader = replica.query("SELECT SOURCE_UUID FROM performance_schema.replication_connection_status")
    roles = (server.value("SELECT @@super_read_only"), replica.value("SELECT @@super_read_only"))
    channels = server.query("SELECT 1 FROM performance_schema.replication_connection_configuration")
    kept = [
        each.value(
            "SELECT VARIABLE_VALUE FROM performance_schema.persisted_variables WHERE VARIABLE_NAME='super_read_only'"
        )
        for each in (server, replica)
    ]
    return (roles, channels, find_leader, kept) == ((0, 1), (), ((server.uuid,),), ["ON", "ON"])


def test_under_load_no_acknowledged_row_is_lost_or_doubled(pair: Trial) -> None:
    with Writers((pair.one, pair.two)).writing() as writers:
        writers.wait_for(50)
        there = pair.run("switchover", "two")
        writers.wait_for(50)
        back = pair.run("switchover", "one")
        writers.wait_for(50)
    in_step(pair.one, pair.two)

    assert (there.code, there.answer["source"], there.answer["former"]) == (0, "two", "one")
    assert (back.code, back.answer["source"], back.answer["former"]) == (0, "one", "two")
    assert writers.refused > 0
    for server in (pair.one, pair.two):
        stored = [int(row[0]) for row in server.query("SELECT note FROM inventory.stock")]
        assert sorted(stored) == sorted(writers.acknowledged)
    assert is_source(pair.one, pair.two)


def test_after_a_switchover_provisioning_has_nothing_to_do_and_opens_the_new_source_after_a_restart(
    pair: Trial,
) -> None:
    pair.run("switchover", "two")

    assert is_source(pair.two, pair.one)
    assert pair.provision().steps == []
    pair.one.kill()
    pair.two.kill()
    pair.one.start()
    pair.two.start()
    assert pair.provision().steps == [("two", "SetReadOnly")]
    assert is_source(pair.two, pair.one)


def test_the_other_replicas_follow_the_new_source(pair: Trial) -> None:
    servers = ("one", "two", "three")
    pair.provision(servers=servers)
    done = pair.run("switchover", "three", servers=servers)
    fill(pair.three)
    in_step(pair.three, pair.one, pair.two)

    assert done.code == 0
    assert done.steps == [
        ("one", "SetReadOnly"),
        ("three", "RecordSource"),
        ("three", "SetReadOnly"),
        ("one", "Follow"),
        ("two", "Follow"),
        ("three", "ForgetSource"),
    ]


def test_a_switchover_to_the_source_has_nothing_to_do(pair: Trial) -> None:
    before = pair.traces()
    done = pair.run("switchover", "one")

    assert (done.code, done.steps) == (0, [])
    assert pair.traces() == before


def test_a_target_that_lags_is_refused_before_anything_is_changed(pair: Trial) -> None:
    pair.two.query("STOP REPLICA SQL_THREAD")
    pair.two.query("CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 60")
    pair.two.query("START REPLICA SQL_THREAD")
    fill(pair.one)
    before = pair.traces()
    refused = pair.run("switchover", "two", "--timeout", "0.5")

    assert refused.code == 1
    assert "REP-013" in refused.err
    assert "two (127.0.0.1:" in refused.err
    assert "2 transactions are missing" in refused.err
    assert "one is the source as before" in refused.err
    assert pair.traces() == before
    pair.two.query("STOP REPLICA SQL_THREAD")
    pair.two.query("CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 0")


def test_a_target_that_is_stalled_is_refused(pair: Trial) -> None:
    pair.changed["wait"] = "0"
    with pair.two.frozen():
        refused = pair.run("switchover", "two")

    assert (refused.code, refused.codes) == (1, ["no_answer"])
    assert pair.one.value("SELECT @@super_read_only") == 0


def test_a_target_whose_replication_was_stopped_is_refused(pair: Trial) -> None:
    pair.two.query("STOP REPLICA")
    before = pair.traces()
    refused = pair.run("switchover", "two")

    assert refused.code == 1
    assert "inventory-replication provision" in refused.err
    assert pair.traces() == before


def with_trouble(change: Callable[[], None]) -> Callable[[Step], None]:
    """A `notify` that causes trouble in the last moment before the source refuses writes."""
    troubles = [change]

    def notify(step: Step) -> None:
        if isinstance(step, SetReadOnly) and troubles:
            troubles.pop()()

    return notify


def test_a_target_that_falls_behind_in_the_last_moment_leaves_the_source_as_it_was(pair: Trial) -> None:
    def trouble() -> None:
        pair.two.query("STOP REPLICA SQL_THREAD")
        fill(pair.one)

    with pair.admin() as admin, pytest.raises(SwitchoverRefused, match="one is the source as before"):
        switchover(admin, "two", timeout=0.5, wait=5, notify=with_trouble(trouble))

    in_step(pair.one, pair.two)
    assert is_source(pair.one, pair.two)
    assert pair.provision().steps == [("one", "SetReadOnly")] or pair.provision().steps == []


def test_a_target_that_dies_in_the_last_moment_leaves_the_source_as_it_was(pair: Trial) -> None:
    with pair.admin() as admin:
        started = time.monotonic()
        with pytest.raises(SwitchoverRefused, match="one is the source as before"):
            switchover(admin, "two", timeout=2, wait=5, notify=with_trouble(pair.two.kill))
        waited = time.monotonic() - started
    pair.two.start()

    assert waited < 60
    assert pair.one.value("SELECT @@super_read_only") == 0
    pair.provision()
    assert is_source(pair.one, pair.two)


def test_an_interruption_before_the_target_takes_writes_undoes_everything(pair: Trial) -> None:
    with pair.admin() as admin, interrupted_before_second_of("SetReadOnly") as notify:
        switchover(admin, "two", timeout=5, wait=5, notify=notify)
    in_step(pair.one, pair.two)

    assert is_source(pair.one, pair.two)
    assert pair.provision().steps == []


@contextmanager
def interrupted_before_second_of(kind: str) -> Iterator[Callable[[Step], None]]:
    seen: list[Step] = []

    def notify(step: Step) -> None:
        seen.append(step)
        if sum(type(each).__name__ == kind for each in seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        yield notify


@pytest.mark.parametrize("kind", ["Follow", "ForgetSource"])
@pytest.mark.parametrize("ending", ["switchover", "provision"])
def test_an_interruption_after_that_is_ended_by_the_next_run(pair: Trial, kind: str, ending: str) -> None:
    with pair.admin() as admin, interrupted_before(kind) as notify:
        switchover(admin, "two", timeout=5, wait=5, notify=notify)
    ended = pair.run("switchover", "two") if ending == "switchover" else pair.provision()

    assert (ended.code, ended.answer["source"]) == (0, "two")
    assert is_source(pair.two, pair.one)
    assert pair.provision().steps == []


def killed_while_nobody_takes_writes(pair: Trial) -> None:
    """What a run leaves that is killed between its two halves."""
    pair.one.query("SET PERSIST super_read_only = ON")
    in_step(pair.one, pair.two)
    pair.two.query("STOP REPLICA")


def test_a_run_that_was_killed_while_no_one_took_writes_is_ended_by_the_next(pair: Trial) -> None:
    killed_while_nobody_takes_writes(pair)
    done = pair.run("switchover", "two")

    assert done.code == 0, done
    assert is_source(pair.two, pair.one)


def test_a_run_that_was_killed_while_no_one_took_writes_is_taken_back_by_provisioning(pair: Trial) -> None:
    killed_while_nobody_takes_writes(pair)
    seen: list[Step] = []
    with pair.admin() as admin:
        provision(admin, wait=20, notify=seen.append)

    assert [type(step).__name__ for step in seen] == ["SetReadOnly", "StartReplica"]
    assert is_source(pair.one, pair.two)
    assert pair.one.value("SELECT @@read_only") == 0
