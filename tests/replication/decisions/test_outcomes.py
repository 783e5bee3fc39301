"""What is sure after a failure."""

from itertools import product

import pytest

from inventory_replication.decisions.error_kinds import MEANINGS, SYMBOLS, Meaning, meaning_of
from inventory_replication.decisions.outcomes import Commit, Outcome, Phase, PoolEffect, judge_read, judge_write

SUPER_READ_ONLY = "The MySQL server is running with the --super-read-only option so it cannot execute this statement"
READ_ONLY = "The MySQL server is running with the --read-only option so it cannot execute this statement"


@pytest.mark.parametrize(
    ("number", "text", "meaning"),
    [
        (1290, SUPER_READ_ONLY, Meaning.READ_ONLY),
        (1290, READ_ONLY, Meaning.READ_ONLY),
        (1290, "The MySQL server is running with the --secure-file-priv option so it cannot", Meaning.STATEMENT),
        (1836, "Running in read-only mode", Meaning.READ_ONLY),
        (1792, "Cannot execute statement in a READ ONLY transaction.", Meaning.READ_ONLY_UNIT),
        (3032, "The server is currently in offline mode", Meaning.OFFLINE),
        (2003, "Can't connect to MySQL server on 'db1' ([Errno 111] Connection refused)", Meaning.UNREACHABLE),
        (2003, "Can't connect to MySQL server on 'db1' (timed out)", Meaning.UNREACHABLE),
        (2006, "MySQL server has gone away (BrokenPipeError(32, 'Broken pipe'))", Meaning.LOST),
        (2013, "Lost connection to MySQL server during query", Meaning.LOST),
        (2013, "Lost connection to MySQL server during query (timed out)", Meaning.TIMED_OUT),
        (0, "", Meaning.LOST),
        (1213, "Deadlock found when trying to get lock", Meaning.CONFLICT),
        (1205, "Lock wait timeout exceeded", Meaning.LOCK_WAIT),
        (1040, "Too many connections", Meaning.NO_ROOM),
        (1045, "Access denied for user 'app'@'%'", Meaning.ACCESS),
        (2026, "SSL connection error", Meaning.TLS),
        (3024, "maximum statement execution time exceeded", Meaning.INTERRUPTED),
        (3707, "Restart server failed", Meaning.SHUTTING_DOWN),
        (1062, "Duplicate entry", Meaning.STATEMENT),
        (99_999, "", Meaning.STATEMENT),
    ],
)
def test_an_error_number_has_its_meaning(number: int, text: str, meaning: Meaning) -> None:
    assert meaning_of(number, text) is meaning


def test_a_driver_that_knows_of_a_time_out_is_believed() -> None:
    assert meaning_of(2013, "Lost connection", timed_out=True) is Meaning.TIMED_OUT
    assert meaning_of(1213, "Deadlock", timed_out=True) is Meaning.CONFLICT


def test_a_number_stands_in_the_table_once() -> None:
    assert len(SYMBOLS) == len(set(SYMBOLS.values())) == len(MEANINGS) + 1
    assert SYMBOLS[1213] == "ER_LOCK_DEADLOCK"


def test_every_meaning_has_a_number_or_is_told_by_the_text() -> None:
    assert set(Meaning) - set(MEANINGS.values()) == {Meaning.TIMED_OUT, Meaning.STATEMENT}


@pytest.mark.parametrize("phase", [Phase.CONNECTING, Phase.BEFORE_COMMIT])
@pytest.mark.parametrize("meaning", sorted(set(Meaning) - {Meaning.COMMIT_IN_DOUBT}))
def test_before_commit_was_sent_nothing_is_stored(phase: Phase, meaning: Meaning) -> None:
    assert judge_write(phase, meaning).commit is Commit.NOT_COMMITTED


@pytest.mark.parametrize("meaning", list(Meaning))
def test_after_success_was_reported_the_change_is_stored_and_never_repeated(meaning: Meaning) -> None:
    outcome = judge_write(Phase.COMMITTED, meaning)

    assert (outcome.commit, outcome.may_repeat) == (Commit.COMMITTED, False)


ROLLED_BACK = {Meaning.CONFLICT, Meaning.LOCK_WAIT, Meaning.READ_ONLY, Meaning.READ_ONLY_UNIT}


@pytest.mark.parametrize("meaning", sorted(ROLLED_BACK))
def test_a_commit_that_the_server_refused_is_not_stored(meaning: Meaning) -> None:
    assert judge_write(Phase.COMMIT_SENT, meaning).commit is Commit.NOT_COMMITTED


@pytest.mark.parametrize("meaning", sorted(set(Meaning) - ROLLED_BACK))
def test_any_other_failure_of_commit_leaves_it_unknown_and_is_never_repeated(meaning: Meaning) -> None:
    outcome = judge_write(Phase.COMMIT_SENT, meaning)

    assert (outcome.commit, outcome.may_repeat) == (Commit.UNKNOWN, False)
    assert outcome.pool is not PoolEffect.KEEP


def test_an_error_within_an_implicit_commit_leaves_it_unknown() -> None:
    assert judge_write(Phase.BEFORE_COMMIT, Meaning.COMMIT_IN_DOUBT).commit is Commit.UNKNOWN


@pytest.mark.parametrize(("phase", "meaning"), list(product(Phase, Meaning)))
def test_only_what_is_surely_not_stored_is_repeated(phase: Phase, meaning: Meaning) -> None:
    outcome = judge_write(phase, meaning)

    assert outcome.commit is Commit.NOT_COMMITTED or not outcome.may_repeat


@pytest.mark.parametrize(
    ("meaning", "again"),
    [
        (Meaning.UNREACHABLE, True),
        (Meaning.LOST, True),
        (Meaning.SHUTTING_DOWN, True),
        (Meaning.OFFLINE, True),
        (Meaning.READ_ONLY, True),
        (Meaning.NO_ROOM, True),
        (Meaning.CONFLICT, True),
        (Meaning.LOCK_WAIT, True),
        (Meaning.TIMED_OUT, False),
        (Meaning.READ_ONLY_UNIT, False),
        (Meaning.ACCESS, False),
        (Meaning.TLS, False),
        (Meaning.INTERRUPTED, False),
        (Meaning.COMMIT_IN_DOUBT, False),
        (Meaning.STATEMENT, False),
    ],
)
def test_a_write_is_repeated_where_that_may_help(meaning: Meaning, again: bool) -> None:
    assert judge_write(Phase.BEFORE_COMMIT, meaning).may_repeat is again


def test_a_read_only_answer_empties_the_pool_and_is_no_fault_of_the_connection() -> None:
    assert judge_write(Phase.BEFORE_COMMIT, Meaning.READ_ONLY) == Outcome(
        Commit.NOT_COMMITTED, may_repeat=True, pool=PoolEffect.SERVER, breaker_failure=False, refresh=True
    )


@pytest.mark.parametrize("meaning", [Meaning.UNREACHABLE, Meaning.LOST, Meaning.SHUTTING_DOWN, Meaning.OFFLINE])
def test_a_server_that_is_gone_counts_and_empties_its_pool(meaning: Meaning) -> None:
    outcome = judge_write(Phase.BEFORE_COMMIT, meaning)

    assert (outcome.pool, outcome.breaker_failure, outcome.refresh) == (PoolEffect.SERVER, True, True)


ALIVE = sorted(
    {
        Meaning.NO_ROOM,
        Meaning.ACCESS,
        Meaning.TLS,
        Meaning.CONFLICT,
        Meaning.LOCK_WAIT,
        Meaning.INTERRUPTED,
        Meaning.STATEMENT,
    }
)


@pytest.mark.parametrize("meaning", ALIVE)
@pytest.mark.parametrize("phase", [Phase.CONNECTING, Phase.BEFORE_COMMIT])
def test_a_server_that_answers_is_not_counted_as_dead(phase: Phase, meaning: Meaning) -> None:
    outcome = judge_write(phase, meaning)

    assert (outcome.pool, outcome.breaker_failure, outcome.refresh) == (PoolEffect.KEEP, False, False)


def test_a_slow_statement_is_no_dead_server_but_a_slow_login_is() -> None:
    slow = judge_read(Phase.BEFORE_COMMIT, Meaning.TIMED_OUT, handed_over=False)

    assert (slow.may_repeat, slow.breaker_failure, slow.pool, slow.refresh) == (
        False,
        False,
        PoolEffect.CONNECTION,
        True,
    )
    assert judge_read(Phase.CONNECTING, Meaning.TIMED_OUT, handed_over=False).breaker_failure


@pytest.mark.parametrize(
    "meaning", sorted({Meaning.UNREACHABLE, Meaning.LOST, Meaning.SHUTTING_DOWN, Meaning.OFFLINE, Meaning.NO_ROOM})
)
def test_a_read_goes_elsewhere_unless_its_caller_has_seen_something(meaning: Meaning) -> None:
    assert judge_read(Phase.BEFORE_COMMIT, meaning, handed_over=False).may_repeat
    assert not judge_read(Phase.BEFORE_COMMIT, meaning, handed_over=True).may_repeat


@pytest.mark.parametrize("meaning", [Meaning.ACCESS, Meaning.TLS, Meaning.TIMED_OUT])
def test_a_read_that_is_not_let_in_goes_elsewhere_but_one_refused_later_does_not(meaning: Meaning) -> None:
    assert judge_read(Phase.CONNECTING, meaning, handed_over=False).may_repeat
    assert not judge_read(Phase.BEFORE_COMMIT, meaning, handed_over=False).may_repeat


@pytest.mark.parametrize("phase", [Phase.CONNECTING, Phase.BEFORE_COMMIT])
@pytest.mark.parametrize("meaning", [Meaning.STATEMENT, Meaning.CONFLICT, Meaning.READ_ONLY_UNIT, Meaning.INTERRUPTED])
def test_a_read_that_fails_by_itself_is_not_run_elsewhere(phase: Phase, meaning: Meaning) -> None:
    assert not judge_read(phase, meaning, handed_over=False).may_repeat
