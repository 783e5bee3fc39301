import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_core.exporting.columns import FileColumn
from inventory_core.exporting.formula_guard import guard, looks_like_formula, may_be_guarded, unguard
from inventory_core.exporting.writers import write_csv
from inventory_core.importing.csv_reader import csv_batches

TRICKY = st.text(st.sampled_from("'=+-@\t\n\"ab,;=\uff1d\uff0bñ€ ")) | st.text(
    st.characters(exclude_categories=["Cs", "Cc"])
)


@given(TRICKY)
def test_a_guarded_text_comes_back(text: str) -> None:
    assert unguard(guard(text)) == text


@given(TRICKY)
def test_no_guarded_text_looks_like_a_formula(text: str) -> None:
    assert not looks_like_formula(guard(text))


@given(TRICKY)
def test_every_pool_guard_is_registered(text: str) -> None:
    if unguard(text) != text:
        assert may_be_guarded(text.encode())


@given(st.lists(TRICKY.filter(lambda text: "\r" not in text), min_size=1))
def test_every_text_survives_a_csv_file(texts: list[str]) -> None:
    file = io.BytesIO()
    columns: list[FileColumn[str]] = [FileColumn("h", lambda text: text), FileColumn("", lambda _: "x")]
    write_csv(file, columns, texts)

    records = [record for batch in csv_batches(file.getvalue(), 500) for record in batch]

    assert [record[0] for record in records[1:]] == texts


@pytest.mark.parametrize("text", ["=1+1", "+34 600", "-5", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_what_looks_like_a_formula_is_guarded(text: str) -> None:
    assert guard(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "1+1", "a=b", "'", "'quoted'", "O'Neill", " =1"])
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert guard(text) == unguard(text) == text
