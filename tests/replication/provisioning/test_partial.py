"""If the source suffices, an unhealthy replica does not block provisioning, and loses nothing."""

import time
from dataclasses import replace

import pytest

from inventory_replication.decisions.snapshot import SourceRecord
from inventory_replication.provisioning import admin_queries
from inventory_replication.provisioning.apply import find_certain_source
from inventory_replication.provisioning.plan.planner import make_plan
from inventory_replication.provisioning.verify import find_deviations
from tests.replication.provisioning.model import (
    NAMES,
    WANTED,
    States,
    carried_out,
    gtids,
    holding,
    new_server,
    read_only,
)
from tests.replication.provisioning.trial import Outcome, Trial, fill, in_step, launch, purge, rows, trace

STOCK = "inventory.stock"


def in_order() -> States:
    states = {name: new_server(name) for name in NAMES} | {"one": holding(new_server("one"), gtids("one", 3), STOCK)}
    return carried_out(states, make_plan(states, WANTED).steps)


def test_the_source_is_beyond_doubt_if_it_alone_takes_writes_and_holds_tables() -> None:
    states = in_order()

    assert find_certain_source(states, WANTED) == "one"
    assert find_certain_source({"two": states["two"]}, WANTED) is None
    assert find_certain_source({name: new_server(name) for name in NAMES}, WANTED) is None
    assert find_certain_source({**states, "two": read_only(states["two"], on=False)}, WANTED) is None


def test_a_source_that_refuses_writes_is_beyond_doubt_only_if_it_is_remembered() -> None:
    states = in_order()
    alone = {"one": read_only(states["one"], on=True)}
    record = states["one"].facts.record
    assert record is not None

    assert find_certain_source(alone, WANTED) is None
    assert find_certain_source(alone, replace(WANTED, remembered=record)) == "one"
    assert (
        find_certain_source(alone, replace(WANTED, remembered=SourceRecord(2, states["two"].facts.server_uuid))) is None
    )


@pytest.mark.parametrize(
    ("clocks", "found"),
    [
        ({"one": 0.0, "two": 4.9, "three": -4.9}, []),
        ({"one": 4.0, "two": -2.0, "three": 0.0}, ["two"]),
        ({"one": 3600.0, "two": 3600.0, "three": 3600.0}, ["one"]),
        ({"one": 0.0, "two": 0.0, "three": -86400.0}, ["three"]),
    ],
)
def test_a_wrong_clock_is_reported_for_its_server(clocks: dict[str, float], found: list[str]) -> None:
    states = {name: replace(state, clock_ahead=clocks[name]) for name, state in in_order().items()}

    assert [(finding.code, finding.server) for finding in find_deviations(states, WANTED)] == [
        ("clock", name) for name in found
    ]


def sufficing(trial: Trial, *servers: str) -> Outcome:
    return trial.run("provision", "--allow-degraded", servers=servers)


def warnings(outcome: Outcome) -> list[tuple[str, str]]:
    return [(warning["code"], warning["server"]) for warning in outcome.answer.get("warnings", ())]


@pytest.fixture
def pair(trial: Trial) -> Trial:
    """A source with data and its replica."""
    trial.provision()
    fill(trial.one)
    in_step(trial.one, trial.two)
    return trial


@pytest.mark.mysql
def test_a_dead_replica_is_warned_of_and_joins_when_it_is_back(pair: Trial) -> None:
    pair.changed |= {"wait": "0"}
    settings = pair.environment()
    pair.two.kill()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair, "environment", lambda *_: settings)
        strict, lenient = pair.run("provision"), sufficing(pair)
    pair.two = launch(pair.two)
    pair.changed |= {"wait": "20"}

    assert (strict.code, strict.codes) == (1, ["no_answer"])
    assert (lenient.code, warnings(lenient)) == (0, [("no_answer", "two")])
    assert lenient.answer["source"] == "one"
    fill(pair.one)
    assert warnings(sufficing(pair)) == []
    in_step(pair.one, pair.two)
    assert rows(pair.two) == 6


@pytest.mark.mysql
def test_accounts_of_the_source_are_fixed_despite_a_replica_with_errant_transactions(pair: Trial) -> None:
    pair.two.query("SET GLOBAL super_read_only = OFF")
    pair.two.query("CREATE TABLE inventory.rogue (id INT)")
    pair.two.query("SET GLOBAL super_read_only = ON")
    pair.one.query("REVOKE DELETE ON inventory.* FROM app")
    before = trace(pair.two)[1:3]
    done = sufficing(pair)

    assert (done.code, warnings(done)) == (0, [("errant_transactions", "two")])
    assert done.steps == [("one", "GrantRights")]
    assert trace(pair.two)[1:3] == before
    assert pair.run("verify").codes == ["errant_transactions"]


@pytest.mark.mysql
def test_two_servers_that_take_writes_are_no_matter_of_a_warning(pair: Trial) -> None:
    pair.two.query("SET GLOBAL read_only = OFF")
    pair.two.query("CREATE TABLE inventory.rogue (id INT)")
    refused = sufficing(pair)

    assert (refused.code, refused.codes) == (1, ["errant_transactions"])


@pytest.mark.mysql
def test_without_the_source_nothing_is_made_one(pair: Trial) -> None:
    pair.changed |= {"wait": "0", "servers": f"one=127.0.0.1:1,two=127.0.0.1:{pair.two.port}"}
    before = trace(pair.two)
    refused = sufficing(pair)

    assert (refused.code, refused.codes) == (1, ["no_answer"])
    assert trace(pair.two) == before


@pytest.mark.mysql
def test_new_servers_must_all_be_there(trial: Trial) -> None:
    trial.changed |= {"wait": "0", "servers": f"one=127.0.0.1:{trial.one.port},two=127.0.0.1:1"}
    before = trial.traces()
    refused = sufficing(trial)

    assert (refused.code, refused.codes) == (1, ["no_answer"])
    assert trial.traces() == before


@pytest.mark.mysql
def test_a_step_that_fails_on_a_replica_is_a_warning_and_the_next_run_goes_on(trial: Trial) -> None:
    fill(trial.one)
    purge(trial.one)
    trial.changed["wait"] = "0"
    failed = sufficing(trial)
    trial.two.wait_until_it_answers()
    trial.changed["wait"] = "20"

    assert (failed.code, warnings(failed)) == (0, [("failed_step", "two")])
    assert sufficing(trial).steps == [("two", "Follow")]
    assert rows(trial.two) == 3


@pytest.mark.mysql
def test_a_clock_that_is_wrong_is_reported_and_keeps_no_one_from_provisioning(
    pair: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_queries, "time", _Clock(-3600))
    found, provisioned = pair.run("verify"), pair.run("provision")

    assert (found.code, found.codes) == (1, ["clock"])
    assert "3,600 s ahead of this machine's" in found.answer["findings"][0]["what"]
    assert (provisioned.code, warnings(provisioned)) == (0, [("clock", "one")])


class _Clock:
    """The module ``time`` of a machine whose clock is wrong."""

    def __init__(self, ahead: float) -> None:
        self._ahead = ahead

    def time(self) -> float:
        return time.time() + self._ahead
