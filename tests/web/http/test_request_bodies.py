"""Bodies of requests: who may send how much, what is read before the login, and what is malformed."""

import errno
import io
import tempfile
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from inventory_web.http.request import MAX_ANONYMOUS_BODY_BYTES
from tests.web.browser import PASSWORD, Browser

OURS = {"Origin": "http://localhost", "Referer": "http://localhost/imports/new"}
MULTIPART = "multipart/form-data; boundary=edge"


class Failing(io.BytesIO):
    """A body that raises ``error`` when it is read."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def read(self, _size: int | None = -1) -> bytes:
        raise self.error


def untouched() -> Failing:
    # No ``Exception``: the application must not be able to turn it into an answer.
    return Failing(SystemExit("the body was read"))


def part(disposition: str, value: str = "x") -> bytes:
    return f"--edge\r\nContent-Disposition: {disposition}\r\n\r\n{value}\r\n--edge--\r\n".encode()


@pytest.mark.parametrize("length", [200, 30 * 1024 * 1024])
@pytest.mark.parametrize("content_type", [MULTIPART, "application/octet-stream", ""])
def test_an_upload_without_a_session_is_refused_before_its_body_is_read(
    app: Flask, length: int, content_type: str
) -> None:
    answer = app.test_client().post(
        "/imports/new",
        input_stream=untouched(),
        content_type=content_type,
        headers=OURS,
        environ_overrides={"CONTENT_LENGTH": str(length)},
    )

    assert answer.status_code == 401
    assert "Su sesión ha terminado y no se ha guardado nada" in answer.text


def test_a_large_form_without_a_session_is_refused_before_its_body_is_read(app: Flask) -> None:
    answer = app.test_client().post(
        "/products/new",
        input_stream=untouched(),
        content_type="application/x-www-form-urlencoded",
        headers=OURS,
        environ_overrides={"CONTENT_LENGTH": str(MAX_ANONYMOUS_BODY_BYTES + 1)},
    )

    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/login", "/login/code", "/logout", "/account/language"])
def test_a_public_form_takes_no_large_body(app: Flask, path: str) -> None:
    answer = app.test_client().post(
        path,
        input_stream=untouched(),
        content_type=MULTIPART,
        environ_overrides={"CONTENT_LENGTH": str(MAX_ANONYMOUS_BODY_BYTES + 1)},
    )

    assert answer.status_code == 413
    assert "para quien no ha iniciado sesión" in answer.text


def test_a_body_of_unknown_length_is_limited_as_well_without_a_session(app: Flask) -> None:
    body = io.BytesIO(part('form-data; name="file"; filename="a.csv"', "x" * 2 * MAX_ANONYMOUS_BODY_BYTES))
    answer = app.test_client().post(
        "/login",
        input_stream=body,
        content_type=MULTIPART,
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert answer.status_code == 413
    assert body.tell() <= 2 * MAX_ANONYMOUS_BODY_BYTES


def test_no_body_without_a_session_reaches_the_disk(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    real = tempfile.TemporaryFile

    def watched(*arguments: Any, **options: Any) -> Any:
        opened.append(arguments)
        return real(*arguments, **options)

    monkeypatch.setattr(tempfile, "TemporaryFile", watched)
    largest = "x" * (MAX_ANONYMOUS_BODY_BYTES - 500)
    body = part('form-data; name="file"; filename="a.csv"', largest)
    answer = app.test_client().post("/login", data=body, content_type=MULTIPART)

    assert answer.status_code == 400
    assert opened == []


def test_a_login_accepts_a_kept_form_of_the_maximum_size(app: Flask) -> None:
    browser = Browser(app)
    browser.get("/login")
    answer = browser.post("/login", username="ada", password=PASSWORD, kept="x" * 56 * 1024)

    assert answer.status_code == 303


MALFORMED = {
    "a part without a name": (MULTIPART, part("form-data")),
    "a file without a name": (MULTIPART, part('form-data; filename="a.csv"')),
    "a part without a disposition": (MULTIPART, b"--edge\r\nX: y\r\n\r\nx\r\n--edge--\r\n"),
    "a header that is no text": (
        MULTIPART,
        b'--edge\r\nContent-Disposition: form-data; name="\xff\xfe"\r\n\r\nx\r\n--edge--\r\n',
    ),
    "no boundary": ("multipart/form-data", part('form-data; name="a"')),
    "a boundary that is no text": ("multipart/form-data; boundary=ñ", part('form-data; name="a"')),
    "a body that ends too early": (MULTIPART, b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nx'),
    "no part at all": (MULTIPART, b"nothing"),
    "bytes that are no text": ("application/x-www-form-urlencoded", b"username=\xff\xfe"),
}


@pytest.mark.parametrize(("content_type", "body"), MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("path", ["/login", "/imports/new", "/products/new"])
def test_a_malformed_body_is_a_bad_request_with_a_code(app: Flask, path: str, content_type: str, body: bytes) -> None:
    browser = Browser(app).let_in("ada")
    answer = browser.client.post(path, data=body, content_type=content_type, headers={"Accept": "application/json"})

    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["code"] == "WEB-400"
    assert "mal formada" in answer.json["message"]


@pytest.mark.parametrize(("content_type", "body"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_is_shown_as_a_page_to_a_stranger(app: Flask, content_type: str, body: bytes) -> None:
    answer = app.test_client().post("/login", data=body, content_type=content_type)

    assert answer.status_code == 400
    assert "WEB-400" in answer.text


@pytest.mark.parametrize("error", [OSError("broken"), ValueError("bad chunk"), RuntimeError("parse error")])
def test_a_body_that_cannot_be_read_is_a_bad_request(app: Flask, error: Exception) -> None:
    answer = app.test_client().post(
        "/login",
        input_stream=Failing(error),
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )

    assert answer.status_code == 400


def test_a_session_may_send_a_large_file(lend_app: Callable[..., Flask]) -> None:
    browser = Browser(lend_app()).let_in("ada")
    file = io.BytesIO(b"code,name,quantity\n" + b"\n" * MAX_ANONYMOUS_BODY_BYTES)
    sent = {"csrf_token": browser.token, "file": (file, "a.csv")}

    assert browser.client.post("/imports/new", data=sent, headers=OURS).status_code == 303


def test_an_upload_that_fills_the_disk_leaves_no_file_behind(
    lend_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[io.FileIO] = []

    class FullFile(io.FileIO):
        """A temporary file on a disk that takes 1 MiB."""

        def __init__(self, *_arguments: Any, **_options: Any) -> None:
            super().__init__(tempfile.mkstemp(dir=folder)[0], "w+")
            opened.append(self)

        def write(self, data: Any) -> int:
            if self.tell() + len(data) > 1024 * 1024:
                raise OSError(errno.ENOSPC, "no space left")
            return super().write(data)

    browser = Browser(lend_app()).let_in("ada")
    body = part('form-data; name="file"; filename="a.csv"', "code,name\n" * 200_000)
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "TemporaryFile", FullFile)
        answer = browser.client.post("/imports/new", data=body, content_type=MULTIPART, headers=OURS)

    assert answer.status_code == 507
    assert [file.closed for file in opened] == [True]
