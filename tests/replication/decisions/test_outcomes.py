"""What is sure after a failure."""

from itertools import product

import pytest

from inventory_replication.decisions.error_kinds import ERROR_KINDS, SYMBOLS, ErrorKind, classify_error
from inventory_replication.decisions.outcomes import (
    CommitState,
    Outcome,
    Phase,
    PoolEffect,
    classify_read,
    classify_write,
    pool_effect,
)

SUPER_READ_ONLY = "The MySQL server is running with the --super-read-only option so it cannot execute this statement"
READ_ONLY = "The MySQL server is running with the --read-only option so it cannot execute this statement"


@pytest.mark.parametrize(
    ("number", "text", "kind"),
    [
        (1290, SUPER_READ_ONLY, ErrorKind.READ_ONLY),
        (1290, READ_ONLY, ErrorKind.READ_ONLY),
        (1290, "The MySQL server is running with the --secure-file-priv option so it cannot", ErrorKind.STATEMENT),
        (1836, "Running in read-only mode", ErrorKind.READ_ONLY),
        (1792, "Cannot execute statement in a READ ONLY transaction.", ErrorKind.READ_ONLY_UNIT),
        (3032, "The server is currently in offline mode", ErrorKind.OFFLINE),
        (2003, "Can't connect to MySQL server on 'db1' ([Errno 111] Connection refused)", ErrorKind.UNREACHABLE),
        (2003, "Can't connect to MySQL server on 'db1' (timed out)", ErrorKind.UNREACHABLE),
        (2006, "MySQL server has gone away (BrokenPipeError(32, 'Broken pipe'))", ErrorKind.LOST),
        (2013, "Lost connection to MySQL server during query", ErrorKind.LOST),
        (2013, "Lost connection to MySQL server during query (timed out)", ErrorKind.TIMED_OUT),
        (0, "", ErrorKind.LOST),
        (1213, "Deadlock found when trying to get lock", ErrorKind.CONFLICT),
        (1205, "Lock wait timeout exceeded", ErrorKind.LOCK_WAIT),
        (1040, "Too many connections", ErrorKind.NO_ROOM),
        (1045, "Access denied for user 'app'@'%'", ErrorKind.ACCESS),
        (2026, "SSL connection error", ErrorKind.TLS),
        (3024, "maximum statement execution time exceeded", ErrorKind.INTERRUPTED),
        (3707, "Restart server failed", ErrorKind.SHUTTING_DOWN),
        (1062, "Duplicate entry", ErrorKind.STATEMENT),
        (99_999, "", ErrorKind.STATEMENT),
    ],
)
def test_an_error_number_has_its_meaning(number: int, text: str, kind: ErrorKind) -> None:
    assert classify_error(number, text) is kind


def test_a_driver_that_knows_of_a_time_out_is_believed() -> None:
    assert classify_error(2013, "Lost connection", timed_out=True) is ErrorKind.TIMED_OUT
    assert classify_error(1213, "Deadlock", timed_out=True) is ErrorKind.CONFLICT


def test_each_error_number_is_in_the_table_once() -> None:
    assert len(SYMBOLS) == len(set(SYMBOLS.values())) == len(ERROR_KINDS) + 1
    assert SYMBOLS[1213] == "ER_LOCK_DEADLOCK"


def test_every_meaning_has_a_number_or_is_reported_by_the_text() -> None:
    assert set(ErrorKind) - set(ERROR_KINDS.values()) == {ErrorKind.TIMED_OUT, ErrorKind.STATEMENT}


@pytest.mark.parametrize("phase", [Phase.CONNECTING, Phase.BEFORE_COMMIT])
@pytest.mark.parametrize("kind", sorted(set(ErrorKind) - {ErrorKind.COMMIT_IN_DOUBT}))
def test_before_commit_was_sent_nothing_is_stored(phase: Phase, kind: ErrorKind) -> None:
    assert classify_write(phase, kind).commit is CommitState.NOT_COMMITTED


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_after_success_was_reported_the_change_is_stored_and_never_repeated(kind: ErrorKind) -> None:
    outcome = classify_write(Phase.COMMITTED, kind)

    assert (outcome.commit, outcome.may_repeat) == (CommitState.COMMITTED, False)


ROLLED_BACK = {ErrorKind.CONFLICT, ErrorKind.LOCK_WAIT, ErrorKind.READ_ONLY, ErrorKind.READ_ONLY_UNIT}


@pytest.mark.parametrize("kind", sorted(ROLLED_BACK))
def test_a_commit_that_the_server_refused_is_not_stored(kind: ErrorKind) -> None:
    assert classify_write(Phase.COMMIT_SENT, kind).commit is CommitState.NOT_COMMITTED


@pytest.mark.parametrize("kind", sorted(set(ErrorKind) - ROLLED_BACK))
def test_any_other_failure_of_commit_leaves_it_unknown_and_is_never_repeated(kind: ErrorKind) -> None:
    outcome = classify_write(Phase.COMMIT_SENT, kind)

    assert (outcome.commit, outcome.may_repeat) == (CommitState.UNKNOWN, False)


def test_an_error_within_an_implicit_commit_leaves_it_unknown() -> None:
    assert classify_write(Phase.BEFORE_COMMIT, ErrorKind.COMMIT_IN_DOUBT).commit is CommitState.UNKNOWN


@pytest.mark.parametrize(("phase", "kind"), list(product(Phase, ErrorKind)))
def test_only_what_is_surely_not_stored_is_repeated(phase: Phase, kind: ErrorKind) -> None:
    outcome = classify_write(phase, kind)

    assert outcome.commit is CommitState.NOT_COMMITTED or not outcome.may_repeat


@pytest.mark.parametrize(
    ("kind", "again"),
    [
        (ErrorKind.UNREACHABLE, True),
        (ErrorKind.LOST, True),
        (ErrorKind.SHUTTING_DOWN, True),
        (ErrorKind.OFFLINE, True),
        (ErrorKind.READ_ONLY, True),
        (ErrorKind.NO_ROOM, True),
        (ErrorKind.CONFLICT, True),
        (ErrorKind.LOCK_WAIT, True),
        (ErrorKind.TIMED_OUT, False),
        (ErrorKind.READ_ONLY_UNIT, False),
        (ErrorKind.ACCESS, False),
        (ErrorKind.TLS, False),
        (ErrorKind.INTERRUPTED, False),
        (ErrorKind.COMMIT_IN_DOUBT, False),
        (ErrorKind.STATEMENT, False),
    ],
)
def test_a_write_is_repeated_where_that_may_help(kind: ErrorKind, again: bool) -> None:
    assert classify_write(Phase.BEFORE_COMMIT, kind).may_repeat is again


def test_a_read_only_answer_empties_the_pool_and_is_not_a_fault_of_the_connection() -> None:
    assert classify_write(Phase.BEFORE_COMMIT, ErrorKind.READ_ONLY) == Outcome(
        CommitState.NOT_COMMITTED, may_repeat=True, breaker_failure=False, refresh=True
    )
    assert pool_effect(ErrorKind.READ_ONLY) is PoolEffect.SERVER


@pytest.mark.parametrize("kind", [ErrorKind.UNREACHABLE, ErrorKind.LOST, ErrorKind.SHUTTING_DOWN, ErrorKind.OFFLINE])
def test_a_server_that_is_gone_counts_and_empties_its_pool(kind: ErrorKind) -> None:
    outcome = classify_write(Phase.BEFORE_COMMIT, kind)

    assert (pool_effect(kind), outcome.breaker_failure, outcome.refresh) == (PoolEffect.SERVER, True, True)


ALIVE = sorted(
    {
        ErrorKind.NO_ROOM,
        ErrorKind.ACCESS,
        ErrorKind.TLS,
        ErrorKind.CONFLICT,
        ErrorKind.LOCK_WAIT,
        ErrorKind.INTERRUPTED,
        ErrorKind.STATEMENT,
    }
)


@pytest.mark.parametrize("kind", ALIVE)
@pytest.mark.parametrize("phase", [Phase.CONNECTING, Phase.BEFORE_COMMIT])
def test_a_server_that_answers_is_not_counted_as_dead(phase: Phase, kind: ErrorKind) -> None:
    outcome = classify_write(phase, kind)

    assert (pool_effect(kind), outcome.breaker_failure, outcome.refresh) == (PoolEffect.KEEP, False, False)


def test_a_slow_statement_is_not_a_dead_server_but_a_slow_login_is() -> None:
    slow = classify_read(Phase.BEFORE_COMMIT, ErrorKind.TIMED_OUT, handed_over=False)

    assert (slow.may_repeat, slow.breaker_failure, slow.refresh) == (False, False, True)
    assert pool_effect(ErrorKind.TIMED_OUT) is PoolEffect.CONNECTION
    assert classify_read(Phase.CONNECTING, ErrorKind.TIMED_OUT, handed_over=False).breaker_failure


@pytest.mark.parametrize(
    "kind",
    sorted({ErrorKind.UNREACHABLE, ErrorKind.LOST, ErrorKind.SHUTTING_DOWN, ErrorKind.OFFLINE, ErrorKind.NO_ROOM}),
)
def test_a_read_goes_elsewhere_unless_its_caller_has_seen_something(kind: ErrorKind) -> None:
    assert classify_read(Phase.BEFORE_COMMIT, kind, handed_over=False).may_repeat
    assert not classify_read(Phase.BEFORE_COMMIT, kind, handed_over=True).may_repeat


@pytest.mark.parametrize("kind", [ErrorKind.ACCESS, ErrorKind.TLS, ErrorKind.TIMED_OUT])
def test_a_read_that_is_not_let_in_goes_elsewhere_but_one_refused_later_does_not(kind: ErrorKind) -> None:
    assert classify_read(Phase.CONNECTING, kind, handed_over=False).may_repeat
    assert not classify_read(Phase.BEFORE_COMMIT, kind, handed_over=False).may_repeat


@pytest.mark.parametrize("phase", [Phase.CONNECTING, Phase.BEFORE_COMMIT])
@pytest.mark.parametrize(
    "kind", [ErrorKind.STATEMENT, ErrorKind.CONFLICT, ErrorKind.READ_ONLY_UNIT, ErrorKind.INTERRUPTED]
)
def test_a_read_that_fails_for_its_own_reason_is_not_retried_elsewhere(phase: Phase, kind: ErrorKind) -> None:
    assert not classify_read(phase, kind, handed_over=False).may_repeat
