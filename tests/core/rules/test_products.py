import pytest

from inventory_core import ProductDraft


def test_texts_of_a_draft_are_cleaned() -> None:
    draft = ProductDraft("  A-1 ", "Mesa\n  grande", " uno\r\ndos ", "  ")

    assert (draft.code, draft.name, draft.description, draft.category) == ("A-1", "Mesa grande", "uno\ndos", None)
    assert draft.faults() == []


def test_a_draft_reports_every_fault_at_once() -> None:
    draft = ProductDraft("", "n" * 201, "d" * 2001, "-", -1)

    assert [(fault.field, fault.reason) for fault in draft.faults()] == [
        ("code", "required"),
        ("name", "too_long"),
        ("description", "too_long"),
        ("category", "characters"),
        ("minimum", "negative"),
    ]


@pytest.mark.parametrize("category", ["c" * 81, "\u0301", "a\x1b"])
def test_a_category_that_cannot_be_compared_or_stored_is_a_fault(category: str) -> None:
    assert [fault.field for fault in ProductDraft("A", "n", category=category).faults()] == ["category"]


def test_markup_and_statements_are_plain_text() -> None:
    text = "<script>alert(1)</script>'; DROP TABLE product; --"

    assert ProductDraft(text, text, text, text).faults() == []
