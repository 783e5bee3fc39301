import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_core.rules.texts import MAX_KEY_LENGTH, code_faults, code_key, normalize_code


@pytest.mark.parametrize("other", ["ab-1", "AB-1", " Ab-1 ", "\uff21\uff22-\uff11"])
def test_case_width_and_blanks_around_do_not_make_another_code(other: str) -> None:
    assert code_key(normalize_code(other)) == code_key("Ab-1")


def test_accents_make_another_code() -> None:
    assert code_key("CAFÉ") != code_key("CAFE")


def test_a_code_keeps_the_case_that_was_typed() -> None:
    assert normalize_code("  Ab-1\n") == "Ab-1"


@given(st.text(max_size=80))
def test_the_key_of_a_key_is_itself(text: str) -> None:
    key = code_key(normalize_code(text))

    assert code_key(key) == key


@given(st.text(max_size=80))
def test_a_code_without_faults_has_a_key_that_fits_its_column(text: str) -> None:
    code = normalize_code(text)

    assert code_faults(code) or 0 < len(code_key(code)) <= MAX_KEY_LENGTH


@pytest.mark.parametrize(
    ("code", "reason"), [("", "required"), ("x" * 65, "too_long"), ("a\x00", "characters"), ("\ufdfa" * 20, "too_long")]
)
def test_an_invalid_code_reports_the_broken_rule(code: str, reason: str) -> None:
    assert [fault.reason for fault in code_faults(code)] == [reason]
