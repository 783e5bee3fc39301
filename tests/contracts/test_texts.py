"""The longest texts, and texts that a database could read as something else, come back as they were written."""

import pytest
from sqlalchemy import update

from inventory_core import InvalidInput, Inventory, ProductDraft, ProductFilter, edit_product
from inventory_core.catalog.locations import add_location
from inventory_core.models import CATEGORY, LOCATION, PRODUCT
from inventory_core.queries.movements import movement_history
from inventory_core.queries.products import get_product, list_locations, product_page
from inventory_core.rules.texts import code_key, invisible_characters, normalize_line, search_text
from inventory_core.stock.operations import issue, receive
from inventory_core.testing import create_product, new_request
from inventory_core.verification import verify
from tests.contracts.topologies import Database

TEXTS = [
    "Robert'); DROP TABLE product;--",
    "\\' OR 1=1 -- \\",
    "100% _ %s %(name)s :name ? ${x} {x}",
    'say "x" `y` \\n \\0 \\x00',
    "ñandú ÑANDÚ ß ẞ İı ﬁ",
    "👩‍👩‍👧‍👦 🇪🇸 😀",
    "e\u0301 → é, \uff41, \u200b, \ufeff",
    "\U0010fffd\ue000\ufffd",
    "سلام עברית 中文 ქართული",
    "NULL",
]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back_as_it_was_written(inventory: Inventory, text: str) -> None:
    name = "".join(char for char in text if not invisible_characters(char))
    draft = ProductDraft(name[:60], name, f"{text}\n{text}", name)
    create_product(inventory, draft.code, name=name, description=draft.description, category=name)
    location = add_location(inventory, name=name, **new_request())
    receive(inventory, code=draft.code, quantity=3, location=location, reason=text, actor=text, operation="x" * 64)

    row = get_product(inventory, draft.code).row
    moved = movement_history(inventory, code=draft.code).rows[0]
    assert (row.code, row.name, row.description, row.category) == (
        draft.code, draft.name, draft.description, draft.category,
    )  # fmt: skip
    assert (moved.reason, moved.actor, moved.location) == (normalize_line(text), normalize_line(text), location)
    for word in text.split():
        assert [found.code for found in product_page(inventory, ProductFilter(word)).rows] == [draft.code], word
    assert verify(inventory).faults == ()


@pytest.mark.parametrize("letter", ["a", "😀", "ñ", "ﷺ", "ΐ"])
def test_the_longest_texts_fit(inventory: Inventory, letter: str) -> None:
    code = "😀" * 64 if letter != "ﷺ" else "c"
    create_product(inventory, code, name=letter * 200, category=letter * 80, description=letter * 2000)
    location = add_location(inventory, name=letter * 80, **new_request())
    for change, quantity in ((receive, 2), (issue, 1)):
        change(
            inventory,
            code=code,
            quantity=quantity,
            location=location,
            reason=letter * 200,
            actor=letter * 80,
            operation=str(quantity) * 64,
        )
    draft = ProductDraft(code, "b" + letter * 199, letter * 1999, "b" + letter * 79, 10**9)
    edit_product(inventory, code=code, draft=draft, expected_version=1, **new_request())

    row = get_product(inventory, code).row
    assert (row.name, row.description, row.category, row.minimum) == (
        draft.name, draft.description, draft.category, draft.minimum,
    )  # fmt: skip
    assert len(list_locations(inventory)) == 2
    assert verify(inventory).faults == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"code": "x" * 65},
        {"name": "x" * 201},
        {"description": "x" * 2001},
        {"category": "x" * 81},
        {"name": "a\0b"},
        {"code": "\ud800"},
        {"code": "ﷺ" * 64},
        {"code": "A\u200b1"},
        {"name": "Mesa\ufeff"},
        {"name": "abc\u202excod"},
        {"category": "Ho\u00adgar"},
    ],
)
def test_a_text_that_is_too_long_or_unfit_is_refused_before_the_database_sees_it(
    inventory: Inventory, fields: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput):
        create_product(inventory, **{"code": "A-1", **fields})  # type: ignore[arg-type]

    assert product_page(inventory, ProductFilter()).rows == ()


def test_a_location_with_an_invisible_character_is_refused_with_its_code_point(inventory: Inventory) -> None:
    with pytest.raises(InvalidInput) as caught:
        add_location(inventory, name="Só\u200dtano", **new_request())

    assert [(fault.field, fault.reason, fault.value) for fault in caught.value.faults] == [
        ("location", "invisible", "U+200D")
    ]


def test_stored_names_with_an_invisible_character_are_reported_by_verify(
    inventory: Inventory, database: Database
) -> None:
    create_product(inventory, "A-1", category="Hogar")
    add_location(inventory, name="Sótano", **new_request())
    with database.engine.begin() as connection:
        for table, name in ((CATEGORY, "Hogar"), (LOCATION, "Sótano")):
            changed = update(table).where(table.c.name == name)
            connection.execute(changed.values(name=f"{name}\u200b"))
        connection.execute(update(PRODUCT).values(name="Mesa\u202e"))

    found = {fault.where: fault.found for fault in verify(inventory).faults if "invisible" in fault.check}
    assert found == {
        "category Hogar<U+200B>, name": "U+200B",
        "location Sótano<U+200B>, name": "U+200B",
        "product A-1, name": "U+202E",
    }


def test_a_stored_code_with_an_invisible_character_is_found_verified_and_corrected(
    inventory: Inventory, database: Database
) -> None:
    create_product(inventory, "A-1", quantity=3)
    with database.engine.begin() as connection:
        columns = {
            "code": "A\u200b-1",
            "code_key": code_key("A\u200b-1"),
            "search_text": search_text("A\u200b-1", "A product", "", ""),
        }
        connection.execute(update(PRODUCT).values(columns))
    receive(inventory, code="A\u200b-1", quantity=1, **new_request())

    (fault,) = verify(inventory).faults
    assert (fault.check, fault.where, fault.found) == (
        "names hold no invisible characters", "product A<U+200B>-1, code", "U+200B",
    )  # fmt: skip
    edit_product(
        inventory, code="A\u200b-1", draft=ProductDraft("A-1", "A product"), expected_version=1, **new_request()
    )
    assert verify(inventory).faults == ()
