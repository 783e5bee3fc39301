"""The English catalogue is complete and has no unused messages."""

import ast
import re

from tests.web.i18n.catalogue import SOURCES, Id, asked_for, english, known

CALLS = {"gettext": 1, "lazy_gettext": 1, "N_": 1, "ngettext": 2}


def test_every_text_of_the_sources_is_in_english() -> None:
    missing = asked_for() - {spanish for spanish, _, _ in known()}

    assert sorted(map(str, missing)) == [], "extract and translate them: nox -s texts"


def test_every_call_that_translates_has_a_text_that_the_extraction_sees() -> None:
    unseen = [
        f"{path.relative_to(SOURCES)}:{call.lineno}"
        for path in sorted(SOURCES.rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in CALLS
        if _id_of(call) not in asked_for()
    ]

    assert unseen == [], "an id is a literal, and does not stand in an f-string"


def test_no_english_text_is_empty_or_doubtful() -> None:
    doubtful = [
        spanish
        for spanish, text, fuzzy in known()
        if fuzzy or not all([text] if isinstance(text, str) else [*text, len(text) == 2])
    ]

    assert doubtful == []


def test_the_catalogue_has_no_unused_messages() -> None:
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


def _id_of(call: ast.Call) -> Id | None:
    number = CALLS[ast.unparse(call.func)]
    words = tuple(str(word.value) for word in call.args[:number] if isinstance(word, ast.Constant))
    if len(words) < number:
        return None
    return words[0] if number == 1 else words


def _parameters(text: str | tuple[str, ...]) -> list[set[str]]:
    return [set(re.findall(r"%\(\w+\)\w", form)) for form in ([text] if isinstance(text, str) else text)]
