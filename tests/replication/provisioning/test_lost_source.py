"""A source that is lost for good: the steps of the document, carried out as they stand there."""

import re
from pathlib import Path

import pytest

from tests.replication.provisioning.trial import Trial, fill, in_step, launch, renew, rows

pytestmark = pytest.mark.mysql
DOCUMENT = (Path(__file__).parents[3] / "docs" / "replication-command.md").read_text("utf-8")


def statements(step: int) -> list[str]:
    """What a numbered step of the document asks to be carried out."""
    section = DOCUMENT.partition("## A source that is lost for good")[2]
    text = re.split(r"^\d\. ", section, flags=re.MULTILINE)[step].partition("\n\n")[0]
    return [each for each in re.findall(r"`([^`]+)`", text) if each.isupper() or re.match(r"[A-Z]{4,} |SET ", each)]


def test_the_most_advanced_replica_takes_its_place_and_a_new_server_joins(trial: Trial) -> None:
    trial.provision(servers=("one", "two", "three"))
    fill(trial.one)
    in_step(trial.one, trial.two, trial.three)
    trial.three.query("STOP REPLICA")
    fill(trial.one)
    in_step(trial.one, trial.two)
    trial.one.kill()

    (question,) = statements(1)
    executed = {server.name: server.value(question) for server in (trial.two, trial.three)}
    assert executed["two"] != executed["three"]
    for statement in statements(2):
        trial.two.query(statement)
    for statement in statements(3):
        trial.three.query(statement)
    done = trial.provision(servers=("two", "three"))

    assert done.answer["source"] == "two"
    assert [step for step in done.steps if step[0] == "three"] == [("three", "Follow")]
    in_step(trial.two, trial.three)
    fill(trial.two)
    in_step(trial.two, trial.three)
    assert (rows(trial.two), rows(trial.three)) == (9, 9)

    trial.one = launch(trial.one)
    trial.one.wait_until_it_answers()
    renew(trial.one)
    # It has the server_id of the lost one: from the logs it would skip what that one had written.
    joined = trial.provision("--rebuild", "one", servers=("two", "three", "one"))
    in_step(trial.two, trial.one)

    assert joined.answer["source"] == "two"
    assert [step for server, step in joined.steps if server == "one"][-2:] == ["Clone", "Follow"]
    assert rows(trial.one) == 9
    assert trial.one.value("SELECT @@super_read_only") == 1


def test_the_document_names_each_statement() -> None:
    assert statements(1) == ["SELECT @@GLOBAL.gtid_executed"]
    assert statements(2) == [
        "STOP REPLICA",
        "RESET REPLICA ALL",
        "SET GLOBAL super_read_only = OFF",
        "SET GLOBAL read_only = OFF",
    ]
    assert statements(3) == ["STOP REPLICA", "RESET REPLICA ALL"]
