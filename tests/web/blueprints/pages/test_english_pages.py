"""With English chosen, no Spanish is shown: on no page, in no error, message or file."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from werkzeug.test import TestResponse

from inventory_core.errors import DatabaseBusy
from inventory_web.i18n.languages import translation_context
from inventory_web.jobs.execution import failure_outcome
from inventory_web.jobs.models import Job, JobState, failed_text
from tests.web.blueprints.site import Site, Visitor
from tests.web.i18n.catalogue import spanish_only

LINES = re.compile(r"<[^<>]*>|\n")
ATTRIBUTES = re.compile(r'[\w-]+="([^"]*)"')
PAGES = ("/inventory", "/inventory?search=nothing-like-it", "/inventory?status=low_stock", "/products/new", "/products/L-1",
         "/products/L-1/edit", "/products/R-1", "/low-stock", "/movements", "/movements?code=L-1", "/movements?code=none",
         "/imports/new", "/work", "/exports/new?search=L-1", "/locations", "/users", "/account/password",
         "/nothing", "/products/none")  # fmt: skip


@pytest.fixture
def english(make_site: Callable[..., Site]) -> Site:
    site = make_site(language="en")
    site.create_product("L-1", name="Lamp", quantity=1, minimum=5)
    site.create_product("R-1", name="Rug", quantity=2)
    site.create_location("Shed")
    assert site.operator.post("/products/R-1/retire").status_code == 303
    return site


@pytest.fixture
def admin(english: Site) -> Visitor:
    return english.visitor("ada")


def spanish_in(page: str) -> set[str]:
    """The Spanish texts that stand alone in a page, or make up part of a sentence of it."""
    page = page.replace("&#34;", '"').replace("&#39;", "'")
    pieces = {piece.strip(" .:·,") for piece in [*LINES.split(page), *ATTRIBUTES.findall(page)]}
    sentences = {text for text in spanish_only() if text.count(" ") > 1 and text in page}
    return (pieces & spanish_only()) | sentences


def test_the_texts_to_look_for_are_many() -> None:
    assert len(spanish_only()) > 200
    assert spanish_in("<p>Guardar</p>") == {"Guardar"}
    assert spanish_in('<input placeholder="Buscar">') == {"Buscar"}


@pytest.mark.parametrize("path", PAGES)
def test_no_page_shows_a_spanish_text(admin: Visitor, path: str) -> None:
    page = admin.get(path).text

    assert '<html lang="en">' in page
    assert spanish_in(page) == set()


def test_the_login_and_an_empty_inventory_show_no_spanish_text(make_site: Callable[..., Site]) -> None:
    site = make_site(language="en")

    assert spanish_in(site.app.test_client().get("/login").text) == set()
    assert spanish_in(site.operator.get("/inventory").text) == set()
    assert spanish_in(site.operator.get("/users").text) == set()


def answers(visitor: Visitor) -> list[TestResponse]:
    """Forms that are refused, each for reasons of its own."""
    upload = {"file": (io.BytesIO(b"code,name,quantity\nL-1,Lamp,-1\nL-2,,x\n"), "wrong.csv")}
    imported = visitor.post("/imports/new", upload)
    return [
        visitor.post("/products/new", {"code": "", "name": "x" * 201, "quantity": "1.5", "minimum": "-1"}),
        visitor.post("/products/new", {"code": "l-1", "name": "Lamp", "quantity": "0", "minimum": "0"}),
        visitor.post("/products/L-1/edit", {"code": "L-1", "name": "Other", "version": "0"}),
        visitor.post("/products/L-1/quantity", {"quantity": "x"}),
        visitor.post("/products/L-1/quantity", {"quantity": "7", "expected": "99"}),
        visitor.post("/products/L-1/quantity", {"quantity": "x"}, htmx=True),
        visitor.post("/products/R-1/quantity", {"delta": "1"}),
        visitor.post("/products/L-1/movements", {"kind": "issue", "quantity": "1000"}),
        visitor.post("/products/L-1/movements", {"kind": "transfer", "quantity": "0"}),
        visitor.post("/movements/999/undo", {}),
        visitor.post("/locations", {"name": ""}),
        visitor.post("/imports/new", {}),
        visitor.post("/users", {"username": "ada", "role": "chief", "password": "x"}),
        visitor.post("/users", {"username": "ada", "role": "viewer", "password": "x"}),
        visitor.post("/account/password", {"new_password": "a", "repeated_password": "b"}),
        visitor.get(imported.location or ""),
        visitor.get("/inventory?status=lost"),
    ]


def test_no_refusal_shows_a_spanish_text(admin: Visitor) -> None:
    reported = answers(admin)

    assert [spanish_in(answer.text) for answer in reported] == [set()] * len(reported)
    assert {answer.status_code for answer in reported} >= {409, 422, 404}


def test_messages_after_a_form_are_in_english_and_count_right(english: Site) -> None:
    operator = english.operator
    operator.post("/products/L-1/movements", {"kind": "receive", "quantity": "1"})

    assert "Receive: Principal now holds 2." in operator.get("/products/L-1").text
    assert "1 product<" in operator.get("/inventory").text
    operator.post("/products/R-1/restore", {})
    page = operator.get("/inventory").text
    assert "2 products<" in page
    assert "Product “R-1” restored." in page + operator.get("/products/R-1").text


@pytest.mark.parametrize(("language", "header", "retired"), [("es", "Código", "no"), ("en", "Code", "no")])
def test_an_export_has_the_headers_of_the_reader_and_changes_nothing_when_it_comes_back(
    make_site: Callable[..., Site], language: str, header: str, retired: str
) -> None:
    site = make_site(language=language)
    site.create_product("L-1", name="Lamp", quantity=3, minimum=1)
    answer = site.operator.get("/inventory/export.csv")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    back = site.operator.post("/imports/new", {"file": (io.BytesIO(answer.data), "back.csv")})
    page = site.operator.get(back.location or "").text

    assert rows[0][0] == header
    assert retired in rows[1]
    assert ("inventory-" if language == "en" else "inventario-") in answer.headers["Content-Disposition"]
    assert ("Unchanged" if language == "en" else "Sin cambios") in page
    assert "<strong>0</strong>" + ("New products" if language == "en" else "Productos nuevos") in page
    assert "<strong>0</strong>" + ("Changed products" if language == "en" else "Productos cambiados") in page


def test_the_result_of_an_import_is_shown_in_the_reader_s_language() -> None:
    with translation_context("es"):
        outcome = failure_outcome(DatabaseBusy(3))
        job = Job("1", "import", "check", "a.csv", {}, "olga", JobState.FAILED, datetime.now(UTC), outcome=outcome)
        spanish = failed_text(job)
    with translation_context("en"):
        english = failed_text(job)

    assert spanish.startswith("La base de datos está ocupada")
    assert english.startswith("The database is busy")
