"""HTTP client with cookies, as a browser sends them."""

import http.client
import json
import re
import time
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.cookies import Morsel, SimpleCookie
from typing import Any

TOO_MANY = 429


@dataclass(frozen=True)
class Answer:
    """A whole answer. ``headers`` in the order in which they came, doubled ones included."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    def header(self, name: str) -> str:
        """Its one value; empty if it is not there."""
        found = self.all(name)
        assert len(found) < 2, f"{name} came {len(found)} times: {found}"
        return found[0] if found else ""

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Visitor:
    """Keeps cookies until they are deleted, follows nothing, and sends the CSRF token of the last page that it saw."""

    host: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        answer = self.send("GET", path, None, dict(headers or {}))
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.body.decode("utf-8", "replace"))
        self.token = found[1] if found else self.token
        return answer

    def post(self, path: str, **data: str) -> Answer:
        return self.send("POST", path, *self.form(**data))

    def form(self, **data: str) -> tuple[bytes, dict[str, str]]:
        """The body of a form, and its headers."""
        body = urllib.parse.urlencode({"csrf_token": self.token, **data}).encode()
        return body, {"Content-Type": "application/x-www-form-urlencoded"}

    def upload(self, path: str, name: str, content: bytes) -> Answer:
        body, kind = self.form_with_file(name, content)
        return self.send("POST", path, body, {"Content-Type": kind})

    def form_with_file(self, name: str, content: bytes) -> tuple[bytes, str]:
        """The body of a form with a file, and its content type."""
        boundary = uuid.uuid4().hex
        fields = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{self.token}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        )
        return (
            fields.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
            f"multipart/form-data; boundary={boundary}",
        )

    def logged_in(self, name: str, password: str) -> "Visitor":
        self.get("/login")
        while (answer := self.post("/login", username=name, password=password)).status == TOO_MANY:
            time.sleep(int(answer.header("Retry-After")))
        assert answer.status == http.client.SEE_OTHER, answer.text
        self.get("/inventory")
        return self

    def instance(self) -> str:
        """The name of the instance that answers now."""
        return self.get("/health").text.strip()

    def health(self) -> dict[str, Any]:
        reported: dict[str, Any] = json.loads(self.get("/health", {"Accept": "application/json"}).body)
        return reported

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """Ask on a connection of its own."""
        connection = self.connection()
        try:
            connection.request(method, path, body, headers | self.cookie_header())
            return self.received(connection.getresponse())
        finally:
            connection.close()

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=60)

    def cookie_header(self) -> dict[str, str]:
        reported = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": reported} if reported else {}

    def received(self, response: http.client.HTTPResponse) -> Answer:
        """Read an answer to its end and keep its cookies."""
        answer = Answer(response.status, tuple(response.getheaders()), response.read())
        for name, cookie in _cookies(answer):
            if cookie["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = cookie.value
        return answer


def _cookies(answer: Answer) -> Iterator[tuple[str, Morsel[str]]]:
    for header in answer.all("Set-Cookie"):
        yield from SimpleCookie(header).items()
