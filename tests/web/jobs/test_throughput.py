"""How long work will still take: nothing is foretold too early, and the estimate follows what happens."""

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st

from inventory_web.jobs.execution import SETTLED_SECONDS, Throughput
from inventory_web.jobs.models import remaining_text


def paced(*reports: tuple[float, int]) -> Throughput:
    """The pace after these reports of one stage, each with its second and the rows that are done."""
    pace = Throughput("", 0.0, 0.0)
    for at, done in reports:
        pace = pace.after("writing", done, at)
    return pace


def test_nothing_is_foretold_before_there_is_something_to_go_by() -> None:
    assert paced().remaining(100) is None
    assert paced((0, 0)).remaining(100) is None
    assert paced((0, 0), (1, 50)).remaining(100) is None
    assert paced((0, 0), (SETTLED_SECONDS, 0)).remaining(100) is None
    assert paced((0, 0), (10, 50)).remaining(0) is None


def test_a_steady_pace_is_reported_exactly() -> None:
    assert paced(*((second, 100 * second) for second in range(11))).remaining(3_000) == pytest.approx(20)


def test_work_that_is_stalled_takes_longer_and_longer() -> None:
    reported = [paced((0, 0), (5, 500), (5 + still, 500)).remaining(1_000) or 0 for still in (1, 5, 20)]

    assert 0 < reported[0] < reported[1] < reported[2]


def test_one_slow_second_changes_little() -> None:
    steady = paced(*((second, 100 * second) for second in range(11)))
    before, after = steady.remaining(10_000), steady.after("writing", 1_000, 11).remaining(10_000)

    assert before is not None
    assert after is not None
    assert before < after < before * 1.25


def test_remaining_time_of_a_new_stage_uses_only_its_own_rate() -> None:
    checked = paced(*((second, 10_000 * second) for second in range(11)))
    writing = checked.after("saving", 0, 11).after("saving", 10, 21)

    assert checked.after("saving", 0, 11).remaining(1_000) is None
    assert writing.remaining(1_000) == pytest.approx(990)


def test_work_that_begins_again_forgets_what_it_had_done() -> None:
    assert paced((0, 0), (10, 900), (11, 5)).remaining(1_000) is None


REPORTS = st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 10**9)), max_size=30)


@given(REPORTS, st.integers(-5, 10**9))
def test_whatever_is_reported_the_rest_is_a_time_or_not_known(reports: list[tuple[float, int]], total: int) -> None:
    remaining = paced(*reports).remaining(total)

    assert remaining is None or 0 <= remaining < float("inf")


@given(st.integers(1, 10_000), st.integers(4, 200), st.integers(0, 10**6))
def test_a_steady_pace_is_reported_exactly_whatever_it_is(rate: int, seconds: int, more: int) -> None:
    pace = paced(*((second, rate * second) for second in range(seconds + 1)))

    assert pace.remaining(rate * seconds + more) == pytest.approx(more / rate)


@pytest.mark.parametrize(
    ("seconds", "spanish", "english"),
    [
        (None, "Calculando cuánto falta", "Estimating the remaining time"),
        (0, "Falta menos de un minuto", "Less than a minute left"),
        (59.9, "Falta menos de un minuto", "Less than a minute left"),
        (60, "Falta 1 minuto", "1 minute left"),
        (61, "Faltan 2 minutos", "2 minutes left"),
        (5_400, "Faltan 90 minutos", "90 minutes left"),
        (5_401, "Faltan 2 horas", "2 hours left"),
        (10_000_000, "Faltan 2.778 horas", "2,778 hours left"),
    ],
)
def test_the_rest_is_written_in_words_with_the_right_plural(
    app: Flask, seconds: float | None, spanish: str, english: str
) -> None:
    with app.app_context():
        reported = []
        for language in ("es", "en"):
            with force_locale(language):
                reported.append(remaining_text(seconds))

    assert reported == [spanish, english]
