"""Forms, conflicts and imports in a browser, with and without scripts."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from inventory_core.queries.products import get_product
from inventory_web.db.models import JobRow
from tests.browser.shop import Shop, Window

pytestmark = pytest.mark.browser


def test_a_product_is_registered_after_its_faults_are_fixed(shop: Shop, window: Window) -> None:
    code, page = shop.new_code(), window.page
    page.get_by_role("link", name="Nuevo producto").click()
    assert not page.locator("#other_category").is_visible()

    page.fill("#code", code)
    page.fill("#quantity", "1.000")
    page.select_option("#category", label="Otra...")
    page.get_by_role("button", name="Registrar").click()
    window.sees("sin separadores de miles")

    page.locator("#name:focus").wait_for()
    assert page.input_value("#code") == code
    assert page.input_value("#quantity") == "1.000"
    assert page.locator("#name-faults").is_visible()
    assert page.locator("#other_category-faults").is_visible()

    page.fill("#name", "Silla")
    page.fill("#quantity", "1000")
    page.fill("#other_category", "Jardín")
    page.get_by_role("button", name="Registrar").click()
    page.wait_for_url(f"**/products/{code}")
    window.sees("registrado")
    assert get_product(shop.inventory, code).row.category == "Jardín"


def test_two_people_edit_one_product_and_the_second_decides(shop: Shop, open_window: Callable[..., Window]) -> None:
    code = shop.create_product(name="Mesa", description="vieja")
    first, second = open_window("olga"), open_window("ada")
    for window in (first, second):
        window.page.goto(f"/products/{code}/edit")

    first.page.fill("#name", "Mesa de Olga")
    first.page.get_by_role("button", name="Guardar").click()
    first.sees("guardado")
    second.page.fill("#name", "Mesa de Ada")
    second.page.get_by_role("button", name="Guardar").click()
    second.sees("Otra persona guardó este producto")

    for text in ("Mesa de Olga", "Mesa de Ada"):
        second.sees(text)
    second.page.get_by_label("Mesa de Olga").check()
    second.page.get_by_role("button", name="Guardar lo elegido").click()
    second.page.wait_for_url(f"**/products/{code}")
    assert get_product(shop.inventory, code).row.name == "Mesa de Olga"


def test_a_product_is_retired_after_a_second_question_and_restored(shop: Shop, window: Window) -> None:
    code, page = shop.create_product(), window.page
    page.goto(f"/products/{code}")
    assert not page.get_by_role("button", name=f"Sí, eliminar {code}").is_visible()

    page.get_by_text("Eliminar", exact=True).click()
    page.get_by_role("button", name=f"Sí, eliminar {code}").click()
    window.sees("Este producto está eliminado")
    page.get_by_role("button", name="Restaurar").click()
    window.sees("restaurado")

    assert not get_product(shop.inventory, code).row.retired


def test_stock_is_received_and_the_movement_undone(shop: Shop, window: Window) -> None:
    code, page = shop.create_product(quantity=5), window.page
    page.goto(f"/products/{code}")

    page.fill("#quantity", "3")
    page.fill("#reason", "Pedido 7")
    page.get_by_role("button", name="Registrar movimiento").click()
    window.sees("hay ahora 8")
    page.get_by_role("button", name="Deshacer el movimiento").first.click()
    window.sees("Movimiento deshecho")

    assert shop.quantity(code) == 5


def test_a_file_is_checked_imported_and_taken_back(shop: Shop, window: Window, tmp_path: Path) -> None:
    code, page = shop.new_code(), window.page
    file = tmp_path / "productos.csv"
    file.write_text(f"Código;Nombre;Cantidad\n{code};Martillo;7\n", "utf-8")
    page.goto("/imports/new")

    page.set_input_files("#file", file)
    page.get_by_role("button", name="Subir y revisar").click()
    window.sees("Lista para importar")
    window.sees("Martillo")
    page.get_by_role("button", name="Importar ahora").click()
    window.sees("Importada")
    assert shop.quantity(code) == 7

    page.get_by_role("button", name="Deshacer la importación").click()
    window.sees("Deshecha")
    assert get_product(shop.inventory, code).row.retired


def test_the_progress_of_an_import_updates_automatically(shop: Shop, window: Window, tmp_path: Path) -> None:
    file = tmp_path / "productos.csv"
    file.write_text(f"code,name\n{shop.new_code()},Martillo\n", "utf-8")
    page = window.page
    page.goto("/imports/new")
    page.set_input_files("#file", file)
    page.get_by_role("button", name="Subir y revisar").click()
    window.sees("Lista para importar")
    job_id = page.url.rsplit("/", 1)[-1]

    how_far = {"state": "working", "step": "import", "worker": "another", "stage": "writing", "total_rows": 2000}
    _set(shop, job_id, **how_far, done_rows=500)
    page.reload()
    window.sees("Fila 500 de 2.000")
    _set(shop, job_id, **how_far, done_rows=1500)
    window.sees("Fila 1.500 de 2.000")
    _set(shop, job_id, state="ready")
    window.sees("Importar ahora")

    assert page.locator("progress").count() == 0


def test_everything_works_without_scripts(shop: Shop, open_window: Callable[..., Window], tmp_path: Path) -> None:
    window = open_window(script=False)
    code, page = shop.new_code(), window.page
    page.get_by_role("link", name="Nuevo producto").click()
    page.fill("#code", code)
    page.fill("#name", "Silla")
    page.fill("#quantity", "5")
    page.get_by_role("button", name="Registrar").click()
    window.sees("registrado")

    page.goto("/inventory")
    page.fill("#search", code)
    page.get_by_role("button", name="Buscar").click()
    window.sees("1 producto")
    window.row(code).get_by_role("button", name="Sumar 1").click()
    window.sees("5 → 6")
    assert f"search={code}" in page.url
    field = window.row(code).get_by_role("textbox")
    field.fill("9")
    field.press("Enter")
    window.sees("6 → 9")
    assert shop.quantity(code) == 9

    page.goto(f"/products/{code}")
    page.get_by_role("button", name="Deshacer el movimiento").first.click()
    window.sees("Movimiento deshecho")
    page.get_by_text("Eliminar", exact=True).click()
    page.get_by_role("button", name=f"Sí, eliminar {code}").click()
    page.get_by_role("button", name="Restaurar").click()
    window.sees("restaurado")

    file = tmp_path / "productos.csv"
    file.write_text(f"code,name,quantity\n{code},Silla,30\n", "utf-8")
    page.goto("/imports/new")
    page.set_input_files("#file", file)
    page.get_by_role("button", name="Subir y revisar").click()
    window.sees("Lista para importar")
    page.get_by_role("button", name="Importar ahora").click()
    window.sees("Importada")
    assert shop.quantity(code) == 30


def _set(shop: Shop, job_id: str, **values: object) -> None:
    values["touched_at"] = datetime.now(UTC)
    statement = update(JobRow).where(JobRow.id == job_id).values(**values)  # type: ignore[arg-type]
    shop.inventory.sessions.write(lambda session: session.execute(statement))
