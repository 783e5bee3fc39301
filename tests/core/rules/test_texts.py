import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from inventory_core.rules.texts import (
    fold,
    normalize_line,
    normalize_text,
    replace_surrogates,
    search_text,
    search_words,
    sort_key,
    text_faults,
)


def test_case_and_accents_fold_away() -> None:
    assert fold("Lámpara") == fold("LAMPARA") == fold("la\u0301mpara") == "lampara"
    assert fold("Straße") == "strasse"
    assert fold("ﬁn") == "fin"


@given(st.text())
def test_folding_a_folded_text_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_composed_and_decomposed_forms_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(st.text())
def test_a_cleaned_line_is_stable_and_has_no_line_break(text: str) -> None:
    cleaned = normalize_line(text)

    assert normalize_line(cleaned) == cleaned
    assert len(cleaned.splitlines()) <= 1
    assert cleaned == cleaned.strip()


@given(st.text())
def test_a_cleaned_text_of_many_lines_is_stable(text: str) -> None:
    assert normalize_text(normalize_text(text)) == normalize_text(text)
    assert "\r" not in normalize_text(text)


@given(st.text())
def test_a_sort_key_fits_its_column(text: str) -> None:
    assert len(sort_key(text)) <= 255


@given(st.text(min_size=1), st.text())
def test_a_product_is_found_by_every_word_of_its_name(name: str, description: str) -> None:
    stored = search_text("A-1", normalize_line(name), description, "Libros")

    assert all(word in stored for word in search_words(name))


def test_a_word_does_not_span_two_fields() -> None:
    assert "uno" not in search_text("A-u", "no", "", "")


def test_control_characters_and_lone_surrogates_are_faults_and_line_breaks_are_not() -> None:
    assert [fault.reason for fault in text_faults("name", "a\x00b", longest=9)] == ["characters"]
    assert [fault.reason for fault in text_faults("name", "\ud800", longest=9)] == ["characters"]
    assert text_faults("description", "a\n\tb", longest=9) == []


def test_a_joiner_is_invisible_unless_it_makes_one_emoji_of_two() -> None:
    for name in ("👩\u200d🔧", "👩🏽\u200d🔧 llave", "🏳\ufe0f\u200d🌈", "🧔\u200d♂\ufe0f"):
        assert text_faults("name", name, longest=20) == []
    for name in ("So\u200dtano", "👩\u200d", "\u200d🔧", "👩\u200d\u200d🔧", "👩\u200dA", "👩\u200b🔧"):
        assert [fault.reason for fault in text_faults("name", name, longest=20)] == ["invisible"], name


def test_a_text_reports_every_fault_at_once() -> None:
    faults = text_faults("name", "\x07" * 4, longest=3)

    assert [(fault.reason, fault.limit) for fault in faults] == [("too_long", 3), ("characters", None)]


def test_what_cannot_be_seen_does_not_hinder_a_search() -> None:
    assert fold("Lám\u00adpara") == fold("Lám\u200dpara") == fold("Lámpara")
    assert fold("❤\ufe0f") == fold("❤")


def test_half_a_surrogate_pair_can_be_looked_for_and_is_not_found() -> None:
    assert fold("á\ud800") == "a\ufffd"
    assert replace_surrogates("á\udfff") == "á\ufffd"


def test_every_character_of_the_search_text_begins_three() -> None:
    assert search_text("A-1", "Té", "", "").endswith("\n\n")


def test_at_most_twenty_words_of_a_query_count() -> None:
    assert search_words(" ".join(map(str, range(4000)))) == tuple(map(str, range(20)))
    assert search_words("uno UNO únó dos") == ("uno", "dos")
