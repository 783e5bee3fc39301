"""The journeys: what a user does and expects to see, on any topology."""

import csv
import io
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from tests.journeys.client import OK, PATIENCE, PAUSE, SEE_OTHER, Client, address, or_none, path_of
from tests.journeys.forms import form_with, forms_of
from tests.journeys.logbook import Outcome, Step

Journey = Callable[[Client], None]
WORKED_ON = ' data-hx-trigger="every 1s"'


def register(client: Client) -> None:
    """A product that is registered is in the list and has a page."""
    code = client.register("Lámpara de pie", 5)
    refused = form_with(client.read("/products/new").text, "code")
    refused.fields |= {"code": code.lower(), "name": "Otra con el mismo código", "quantity": "1"}
    write = client.logbook.about_to(refused.fields["operation"], Step(code, "receive", 1))
    answer = client.send(write, "/products/new", refused)

    assert answer is None or answer.status != SEE_OTHER, "two products have one code"
    client.sees(code)


def search(client: Client) -> None:
    """A product is found by a part of its name, without its accents."""
    mark = f"{client.name}{len(client.logbook.writes)}"
    code = client.register(f"Añil {mark} único", 1)

    assert code in client.read(f"/inventory?search={quote(f'UNICO {mark.upper()}')}").text
    assert code not in client.read(f"/inventory?search={quote(f'{mark} ausente')}").text


def edit(client: Client) -> None:
    """A product has its new name at once."""
    code = client.register("Mesa", 2)
    form = form_with(client.read(address(code, "edit")).text, "version")
    form.fields |= {"name": "Mesa de roble", "minimum": "1"}
    write = client.logbook.about_to(form.fields["operation"], names={code: "Mesa de roble"})
    client.change(write, address(code, "edit"), form)
    client.now_known(code, "Mesa de roble", 2)


def count(client: Client) -> None:
    """Check that counts are stored: of a product that had stock, and of one that never had any."""
    for before, counted in ((4, 9), (0, 3)):
        code = client.register("Tornillo", before)
        form = client.form_of_quantity(f"/inventory?search={quote(code)}", code)
        form.fields["quantity"] = str(counted)
        write = client.logbook.about_to(form.fields["operation"], Step(code, "count", counted - before))
        client.change(write, address(code, "quantity"), form)
        client.now_known(code, "Tornillo", counted)


def receive_and_issue(client: Client) -> None:
    """What comes in and goes out is added and taken away."""
    code, quantity = client.register("Taladro", 1), 1
    for kind, change in (("receive", 7), ("issue", -3)):
        form = form_with(client.read(address(code)).text, "kind", address(code, "movements"))
        form.fields |= {"kind": kind, "quantity": str(abs(change)), "reason": "pedido 12"}
        write = client.logbook.about_to(form.fields["operation"], Step(code, kind, change))
        client.change(write, address(code, "movements"), form)
        quantity += change
        client.now_known(code, "Taladro", quantity)


def undo(client: Client) -> None:
    """A mistake is taken back, once."""
    code = client.register("Silla", 5)
    form = client.form_of_quantity(address(code), code)
    form.fields["quantity"] = "50"
    write = client.logbook.about_to(form.fields["operation"], Step(code, "count", 45))
    client.change(write, address(code, "quantity"), form)
    client.now_known(code, "Silla", 50)
    newest = next(form for form in forms_of(client.read(address(code)).text) if form.action.endswith("/undo"))
    write = client.logbook.about_to(newest.fields["operation"], Step(code, "undo", -45))
    client.change(write, newest.action, newest)
    client.now_known(code, "Silla", 5)


def import_file(client: Client) -> None:
    """A file is looked at first and then imported as a whole: new products, and one that was there."""
    there = client.register("Clavo", 10)
    new = {f"{client.new_code()}-{number}": 10 + number for number in range(3)}
    lines = [f"{there},Clavo,25", *(f"{code},Importado,{quantity}" for code, quantity in new.items())]
    content = "\n".join(["code,name,quantity", *lines, ""]).encode()
    client.read("/imports/new")
    taken = client.until_taken(lambda: client.visitor.upload("/imports/new", "productos.csv", content))
    assert taken.status == SEE_OTHER, taken.text
    job = path_of(taken)
    steps = [Step(there, "import", 15), *(Step(code, "import", quantity) for code, quantity in new.items())]
    write = client.logbook.about_to(job.rpartition("/")[2], *steps, names=dict.fromkeys(new, "Importado"))
    client.sees(there)
    confirm_until_done(client, job, write.attempts)
    client.now_known(there, "Clavo", 25)
    for code, quantity in new.items():
        client.now_known(code, "Importado", quantity)


def confirm_until_done(client: Client, job: str, attempts: list[Outcome]) -> None:
    """Press the button as often as the page of the import shows it; only that page says that it is done."""
    until = time.monotonic() + PATIENCE
    while True:
        page = client.read(job).text
        forms = {form.action: form for form in forms_of(page)}
        if f"{job}/undo" in forms:
            attempts[-1] = Outcome.ACKNOWLEDGED
            return
        confirm = forms.get(f"{job}/confirm")
        assert confirm or WORKED_ON in page, page
        assert time.monotonic() < until, f"{client.name} gives up with {job}: {page}"
        if attempts:
            time.sleep(PAUSE)
        if confirm:
            attempts.append(Outcome.UNKNOWN)
            or_none(partial(client.visitor.post, f"{job}/confirm", **confirm.fields))


def export(client: Client) -> None:
    """An export holds what was acknowledged, as CSV and as a workbook."""
    client.register("Pintura", 6)
    filtered = f"search={quote(client.name)}"
    text = client.read(f"/inventory/export.csv?{filtered}").body.decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text), csv.Sniffer().sniff(text.splitlines()[0]))
    code, quantity = header.index("Código"), header.index("Cantidad")

    exported = {row[code]: int(row[quantity]) for row in rows}
    known = {code: known.quantity for code, known in client.known.items()}
    assert exported == known, f"exported and not so known: {exported.items() ^ known.items()}"
    assert client.read(f"/inventory/export.xlsx?{filtered}").body.startswith(b"PK")


def log_out_and_in(client: Client) -> None:
    """Who has logged out sees nothing until the next login."""
    form = form_with(client.read("/inventory").text, "csrf_token", "/logout")
    answer = client.until_taken(lambda: client.visitor.post("/logout", **form.fields))
    assert answer.status == SEE_OTHER, answer.text
    assert client.visitor.get("/inventory").status != OK
    client.log_in()
    assert client.name in client.read("/inventory").text


JOURNEYS: tuple[Journey, ...] = (register, search, edit, count, receive_and_issue, undo, import_file, export)
"""What may be done again and again; logging in is limited, and so is walked once by each client."""
