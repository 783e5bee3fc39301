"""A source that is lost: its most advanced replica takes its place, and it returns as a replica, or is replaced by a new server."""

import pytest

from tests.replication.provisioning.trial import Trial, fill, in_step, launch, renew, rows

pytestmark = pytest.mark.mysql


def test_the_most_advanced_replica_takes_its_place_and_a_new_server_joins(trial: Trial) -> None:
    trial.provision(servers=("one", "two", "three"))
    fill(trial.one)
    in_step(trial.one, trial.two, trial.three)
    trial.three.query("STOP REPLICA")
    fill(trial.one)
    in_step(trial.one, trial.two)
    trial.one.kill()
    trial.changed["wait"] = "3"
    done = trial.run("failover", "two", "--lost", "one", servers=("one", "two", "three"))
    trial.changed["wait"] = "20"

    assert (done.code, done.answer["source"]) == (0, "two")
    assert done.steps[-1] == ("three", "Follow")
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


def test_a_lost_source_with_a_tail_of_its_own_is_not_taken_back_before_that_was_looked_at(trial: Trial) -> None:
    trial.provision()
    fill(trial.one)
    in_step(trial.one, trial.two)
    trial.two.query("STOP REPLICA")
    fill(trial.one)
    trial.one.kill()
    trial.changed["wait"] = "3"
    trial.run("failover", "two", "--lost", "one")
    trial.changed["wait"] = "20"
    trial.one.start()
    refused = trial.run("provision")

    assert (refused.code, refused.codes) == (1, ["errant_transactions"])
    assert trial.one.value("SELECT @@super_read_only") == 1
    trial.provision("--rebuild", "one")
    assert rows(trial.one) == rows(trial.two) == 3
