"""The balancer streams uploads and downloads without storing them."""

import csv
import io

import pytest

from tests.stack.system import System, eventually
from tests.stack.visitor import Visitor

pytestmark = pytest.mark.stack
ROWS = 5_000


def table(prefix: str, rows: int) -> bytes:
    lines = (
        f"{prefix}-{number:05},Producto {number},Una descripción de muestra,{number % 50}" for number in range(rows)
    )
    return ("code,name,description,quantity\n" + "\n".join(lines) + "\n").encode()


def kept(system: System) -> str:
    folders = ("/var/cache/nginx/bodies", "/var/cache/nginx/answers")
    return system.compose("exec", "-T", "nginx", "find", *folders, "-type", "f").stdout


def test_an_upload_goes_to_an_instance_while_it_comes_in_and_is_imported(system: System, admin: Visitor) -> None:
    admin.get("/imports/new")
    body, kind = admin.form_with_file("stock.csv", table("UP", ROWS))
    half = len(body) // 2
    connection = admin.connection()
    connection.putrequest("POST", "/imports/new")
    for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **admin.cookie_header()}.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(body[:half])
    while_coming_in = kept(system)
    connection.send(body[half:])
    answer = admin.received(connection.getresponse())
    connection.close()

    assert answer.status == 303, answer.text
    assert while_coming_in == ""
    page = answer.header("Location")
    eventually("the preview", lambda: f'action="{page}/confirm"' in admin.get(page).text)
    assert admin.post(f"{page}/confirm").status == 303
    eventually("the import", lambda: f'action="{page}/undo"' in admin.get(page).text)
    assert len(admin.get("/inventory/export.csv?search=UP-0").text.splitlines()) == ROWS + 1


def test_a_file_of_more_than_a_megabyte_may_be_uploaded_and_one_of_more_than_64_may_not(admin: Visitor) -> None:
    admin.get("/imports/new")
    large = admin.upload("/imports/new", "large.csv", b"code,name\n" + b"x" * 3_000_000)
    head = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(70 * 1024 * 1024)}
    connection = admin.connection()
    connection.putrequest("POST", "/imports/new")
    for name, value in {**head, **admin.cookie_header()}.items():
        connection.putheader(name, value)
    connection.endheaders()
    refused = admin.received(connection.getresponse())
    connection.close()

    assert large.status in {303, 422}
    assert refused.status == 413
    assert "64 MiB" in refused.text


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_goes_out_whole_and_nothing_of_it_is_kept(system: System, admin: Visitor, kind: str) -> None:
    words = table("EX", 300).decode()
    program = "cat > /tmp/ex.csv && inventory import /tmp/ex.csv && rm /tmp/ex.csv"
    system.compose("exec", "-T", "web1", "sh", "-c", program, stdin=words)
    answer = admin.get(f"/inventory/export.{kind}?search=EX-00")

    assert answer.status == 200
    assert kept(system) == ""
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"))))
        assert len(rows) == 301
    else:
        assert answer.body.startswith(b"PK")


def test_export_made_by_a_job_goes_out_whole_and_nothing_of_it_is_kept(system: System, admin: Visitor) -> None:
    words = table("BG", 300).decode()
    program = "cat > /tmp/bg.csv && inventory import /tmp/bg.csv && rm /tmp/bg.csv"
    system.compose("exec", "-T", "web1", "sh", "-c", program, stdin=words)
    admin.get("/exports/new?search=BG-00")
    begun = admin.post("/exports", search="BG-00", format="csv")
    page = begun.header("Location")
    eventually("the file is ready", lambda: f'href="{page}/file"' in admin.get(page).text)
    answers = [admin.get(f"{page}/file") for _ in range(6)]

    assert begun.status == 303, begun.text
    assert kept(system) == ""
    assert len({answer.header("X-Served-By") for answer in answers}) > 1
    for answer in answers:
        assert (answer.status, len(answer.text.splitlines())) == (200, 301)
        assert int(answer.header("Content-Length")) == len(answer.body)
