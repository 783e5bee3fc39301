"""The English catalogue is complete, and holds nothing that nobody asks for."""

import re

from tests.web.languages.catalogue import asked_for, english, known


def test_every_text_of_the_sources_is_in_english() -> None:
    missing = asked_for() - {spanish for spanish, _, _ in known()}

    assert sorted(map(str, missing)) == [], "extract and translate them: nox -s texts"


def test_no_english_text_is_empty_or_doubtful() -> None:
    doubtful = [
        spanish
        for spanish, text, fuzzy in known()
        if fuzzy or not all([text] if isinstance(text, str) else [*text, len(text) == 2])
    ]

    assert doubtful == []


def test_the_catalogue_holds_nothing_that_nobody_asks_for() -> None:
    assert [spanish for spanish, _, _ in known() if spanish not in asked_for()] == []
    assert list(english().obsolete) == []


def test_a_text_with_plurals_has_both_forms() -> None:
    assert english().num_plurals == 2
    assert [
        (spanish, text) for spanish, text, _ in known() if isinstance(spanish, tuple) != isinstance(text, tuple)
    ] == []


def test_the_same_values_are_filled_in_in_both_languages() -> None:
    differing = [(spanish, text) for spanish, text, _ in known() if _parameters(spanish) != _parameters(text)]

    assert differing == []


def test_no_english_text_keeps_spanish_letters_or_quotes() -> None:
    assert [text for _, text, _ in known() if re.search("[áéíóúñ¿¡«»]", str(text), re.IGNORECASE)] == []


def _parameters(text: str | tuple[str, ...]) -> list[set[str]]:
    return [set(re.findall(r"%\(\w+\)\w", form)) for form in ([text] if isinstance(text, str) else text)]
