"""Servers start closed: the source on record is opened again without a person, and an old source stays closed."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_replication.decisions.gtid import EMPTY
from inventory_replication.decisions.snapshot import ServerFacts, SourceRecord
from inventory_replication.errors import ConfigurationError
from inventory_replication.provisioning.plan.roles import find_server_to_open
from inventory_replication.provisioning.settings import RecordFile
from tests.replication.mysql.servers import MySQLServer
from tests.replication.provisioning.trial import Trial, fill, in_step, launch

NAMES = ("one", "two", "three")


def facts(name: str, *, writable: bool = False, record: SourceRecord | None = None) -> ServerFacts:
    number = NAMES.index(name) + 1
    return ServerFacts(name, number, not writable, not writable, gtids_on=True, executed=EMPTY, record=record)


FIRST, NEXT = SourceRecord(1, "one"), SourceRecord(2, "two")


def test_the_guard_opens_the_source_on_record_if_every_server_answers() -> None:
    answers = {"one": facts("one", record=FIRST), "two": facts("two", record=FIRST)}

    assert find_server_to_open(answers, None).server == "one"
    assert find_server_to_open({**answers, "two": None}, None).server is None
    assert find_server_to_open({**answers, "two": None}, FIRST).server == "one"


@pytest.mark.parametrize(
    ("answers", "remembered", "words"),
    [
        ({"one": facts("one"), "two": facts("two")}, None, "No source is on record"),
        ({"one": facts("one", record=FIRST), "two": None}, NEXT, "does not answer"),
        ({"one": facts("one", record=FIRST), "two": facts("two", record=NEXT)}, FIRST, "two is on record"),
        ({"one": facts("one", record=FIRST), "two": facts("two", record=FIRST)}, NEXT, "is not yet"),
        (
            {"one": facts("one", record=FIRST), "two": facts("two", writable=True, record=FIRST)},
            FIRST,
            "two takes writes",
        ),
    ],
)
def test_the_guard_leaves_a_former_source_closed(
    answers: Mapping[str, ServerFacts | None], remembered: SourceRecord | None, words: str
) -> None:
    found = find_server_to_open(answers, remembered)

    assert found.server != "one"
    assert words in found.reason


RECORDS = st.none() | st.builds(SourceRecord, st.integers(1, 3), st.sampled_from(NAMES))


@given(
    st.fixed_dictionaries(
        {name: st.none() | st.builds(facts, st.just(name), writable=st.booleans(), record=RECORDS) for name in NAMES}
    ),
    RECORDS,
)
def test_the_guard_opens_nothing_but_the_newest_record_and_never_a_second_server(
    answers: Mapping[str, ServerFacts | None], remembered: SourceRecord | None
) -> None:
    found = find_server_to_open(answers, remembered)
    known = [remembered, *(fact.record for fact in answers.values() if fact)]
    newest = max(record.epoch for record in known if record) if any(known) else 0
    if found.server is None:
        return
    fact = answers[found.server]
    assert fact is not None
    assert fact.record is not None
    assert (fact.record.server_uuid, fact.record.epoch, fact.writable) == (found.server, newest, False)
    assert remembered == fact.record or None not in answers.values()
    assert not any(
        other.writable and other.record and other.record.epoch == newest for other in answers.values() if other
    )


def test_the_record_file_keeps_the_newest_epoch(tmp_path: Path) -> None:
    memory = RecordFile(tmp_path / "source.json")

    assert memory.read() is None
    memory.write(NEXT)
    memory.write(FIRST)
    assert memory.read() == NEXT


@pytest.mark.parametrize("content", ["", "[]", '{"epoch": "x"}'])
def test_a_record_file_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "source.json"
    path.write_text(content, "utf-8")

    with pytest.raises(ConfigurationError, match="record_file"):
        RecordFile(path).read()


def test_a_record_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        RecordFile(tmp_path / "missing" / "source.json").write(FIRST)


def closed(server: MySQLServer) -> bool:
    return bool(server.value("SELECT @@super_read_only"))


@pytest.fixture
def pair(trial: Trial, tmp_path: Path) -> Trial:
    """A source with data and its replica, and a file that remembers the source."""
    trial.changed["record_file"] = str(tmp_path / "source.json")
    trial.provision()
    fill(trial.one)
    in_step(trial.one, trial.two)
    return trial


@pytest.mark.mysql
def test_a_source_that_restarts_refuses_writes_until_the_guard_has_opened_it(pair: Trial) -> None:
    pair.one.kill()
    pair.one.start()
    refused = closed(pair.one)
    guarded = pair.run("guard", "--once")

    assert refused
    assert (guarded.code, closed(pair.one), closed(pair.two)) == (0, False, True)
    assert "on record as the source (epoch 1)" in guarded.answer["reason"]
    assert pair.run("guard", "--once").code == 0
    assert pair.provision().steps == []


@pytest.mark.mysql
def test_a_source_that_restarts_while_its_replica_is_away_is_opened_if_it_is_remembered(pair: Trial) -> None:
    pair.two.kill()
    pair.one.kill()
    pair.one.start()
    remembered = pair.changed.pop("record_file")
    without = pair.run("guard", "--once")
    stayed = closed(pair.one)
    pair.changed["record_file"] = remembered
    guarded = pair.run("guard", "--once")
    pair.two.start()

    assert (without.code, stayed) == (1, True)
    assert "two may have a newer record" in without.answer["reason"]
    assert (guarded.code, closed(pair.one)) == (0, False)


@pytest.mark.mysql
def test_an_old_source_that_comes_back_stays_closed_until_it_is_provisioned(pair: Trial) -> None:
    pair.run("switchover", "two")
    in_step(pair.two, pair.one)
    pair.one.kill()
    pair.two.kill()
    pair.one.start()
    alone = pair.run("guard", "--once")
    stayed = closed(pair.one)
    pair.two = launch(pair.two)
    pair.two.wait_until_it_answers()
    together = pair.run("guard", "--once")

    assert (alone.code, stayed) == (1, True)
    assert "does not answer" in alone.answer["reason"]
    assert (together.code, closed(pair.one), closed(pair.two)) == (0, True, False)
    assert pair.provision().answer["source"] == "two"


@pytest.mark.mysql
def test_a_lost_source_that_returns_after_its_replica_was_promoted_stays_closed(pair: Trial) -> None:
    """It knows nothing of its successor, and the only one that does is away."""
    pair.one.kill()
    pair.changed["wait"] = "3"
    promoted = pair.run("failover", "two", "--lost", "one")
    pair.changed["wait"] = "20"
    fill(pair.two)
    pair.two.kill()
    pair.one.start()
    guarded = pair.run("guard", "--once")
    stayed = closed(pair.one)
    pair.two.start()

    assert (promoted.code, promoted.answer["source"]) == (0, "two")
    assert promoted.steps == [("two", "RecordSource"), ("two", "ForgetSource"), ("two", "SetReadOnly")]
    assert (guarded.code, stayed) == (1, True)
    assert "epoch 2" in guarded.answer["reason"]
    assert (pair.run("guard", "--once").code, closed(pair.one), closed(pair.two)) == (0, True, False)
    assert pair.provision().answer["source"] == "two"
    in_step(pair.two, pair.one)


@pytest.mark.mysql
def test_a_failover_takes_the_replica_with_most_and_the_others_follow_it(pair: Trial) -> None:
    servers = ("one", "two", "three")
    pair.provision(servers=servers)
    pair.two.query("STOP REPLICA")
    fill(pair.one)
    in_step(pair.one, pair.three)
    pair.one.kill()
    pair.changed["wait"] = "3"
    behind = pair.run("failover", "two", "--lost", "one", servers=servers)
    writable = [server.name for server in (pair.two, pair.three) if not closed(server)]
    done = pair.run("failover", "three", "--lost", "one", servers=servers)
    pair.changed["wait"] = "20"
    fill(pair.three)
    in_step(pair.three, pair.two)
    pair.one.start()

    assert (behind.code, writable) == (1, [])
    assert "lacks 2 transactions that three has: choose three" in behind.err
    assert (done.code, done.answer["source"], done.answer["former"]) == (0, "three", "one")
    assert done.steps[-1] == ("two", "Follow")


@pytest.mark.mysql
def test_a_failover_is_refused_while_the_source_answers_or_an_unlisted_server_is_away(pair: Trial) -> None:
    before = pair.traces()
    answers = pair.run("failover", "two", "--lost", "one")
    pair.changed |= {"wait": "0", "servers": f"one=127.0.0.1:1,two=127.0.0.1:{pair.two.port},three=127.0.0.1:2"}
    away = pair.run("failover", "two", "--lost", "one")

    assert (answers.code, away.code) == (1, 1)
    assert "one answers and was given up" in answers.err
    assert "three is away and was not given up" in away.err
    assert pair.traces() == before


@pytest.mark.mysql
def test_the_guard_does_not_open_what_a_person_or_another_run_keeps_closed(pair: Trial) -> None:
    pair.one.kill()
    pair.one.start()
    with pair.admin() as admin:
        admin.lock()
        busy = pair.run("guard", "--once")
    pair.one.query("SET GLOBAL super_read_only = ON")
    shown = pair.run("guard", "--once")

    assert (busy.code, "Another run" in busy.answer["reason"]) == (1, True)
    assert (shown.code, closed(pair.one)) == (1, True)
    assert "was set to refuse writes" in shown.answer["reason"]
    assert pair.provision().steps == [("one", "SetReadOnly")]
