"""Whatever a template shows in words goes through the catalogue."""

import re
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import nodes

from tests.web.i18n.catalogue import SOURCES

TEMPLATES = sorted(SOURCES.rglob("templates/**/*.html"))
SHOWN_ATTRIBUTES = ("aria-label", "title", "placeholder", "alt", "label", "content", "data-label", "data-announce")
NO_WORDS = {"width=device-width, initial-scale=1"}
TRANSLATING = {"_", "gettext", "ngettext"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(SOURCES)))
def test_no_words_stand_in_a_template_outside_of_a_call_that_translates_them(app: Flask, path: Path) -> None:
    assert words_of(app, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Guardar</p>",
        '<input placeholder="Buscar">',
        "<p>{{ 'Guardar' }}</p>",
        "<p>{{ 'Guardar' if saved else _('Cancelar') }}</p>",
        '<button aria-label="Borrar {{ code }}">x</button>',
        "{% set title = 'Borrar todo' %}",
        '{{ field("name", label="Nombre") }}',
    ],
)
def test_words_outside_of_such_a_call_are_found(app: Flask, source: str) -> None:
    assert len(words_of(app, source)) == 1


def words_of(app: Flask, source: str) -> list[str]:
    """Words between the tags, in attributes that people read or hear, and in literals that are shown."""
    tree = app.jinja_env.parse(source)
    literal = "".join(
        node.data if isinstance(node, nodes.TemplateData) else "\x00"
        for output in tree.find_all(nodes.Output)
        for node in output.nodes
    )
    # A macro may also write attributes, to be put into a tag.
    shown = re.sub(r"<[^<>]*>|[\w:-]+=\"[^\"]*\"", "\n", literal)
    attributes = re.findall(rf'[\s](?:{"|".join(SHOWN_ATTRIBUTES)})="([^"]*)"', literal)
    found = [text.strip() for text in [*shown.split("\n"), *attributes] if re.search(r"[^\W\d_]{2}", text)]
    return [text for text in found if text not in NO_WORDS] + literals_of(tree)


def literals_of(tree: nodes.Template) -> list[str]:
    """Strings with a capital letter or a blank that are written into the page, set, or handed to a macro, untranslated."""
    places = [
        *(node for output in tree.find_all(nodes.Output) for node in output.nodes),
        *(assignment.node for assignment in tree.find_all(nodes.Assign)),
    ]
    translated = {
        id(argument)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in TRANSLATING
        for argument in call.args
    }
    constants = {id(node): node for place in places for node in [place, *place.find_all(nodes.Const)]}
    return [
        node.value
        for node in constants.values()
        if isinstance(node, nodes.Const) and isinstance(node.value, str) and id(node) not in translated
        if re.match(r"\s*[A-ZÁÉÍÓÚÑ¿][^\W\d_]+", node.value)
    ]
