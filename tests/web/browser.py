"""A browser before, during and after a login."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

INITIAL = ("admin", "admin123")
PASSWORD = "una clave larga y propia"


class Browser:
    """Keeps cookies, follows nothing, and sends the CSRF token of the last page that it saw."""

    def __init__(self, app: Flask, *, address: str = "192.0.2.1", agent: str = "") -> None:
        self.client = app.test_client()
        self._from = {"REMOTE_ADDR": address} | ({"HTTP_USER_AGENT": agent} if agent else {})
        self.token = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        answer = self.client.get(path, environ_base=self._from, buffered=True, **options)
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        self.token = found[1] if found else self.token
        return answer

    def post(self, path: str, *, token: str | None = None, **data: str) -> TestResponse:
        return self.send(path, data, token=token)

    def send(
        self,
        path: str,
        data: Mapping[str, str],
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        sent = {"csrf_token": self.token if token is None else token, **data}
        return self.client.post(path, data=sent, headers=headers, environ_base=self._from, buffered=True)

    def log_in(self, name: str, password: str, **more: str) -> TestResponse:
        self.get("/login")
        return self.post("/login", username=name, password=password, **more)

    def logged_in(self, name: str, password: str = PASSWORD) -> "Browser":
        answer = self.log_in(name, password)
        assert answer.status_code == 303, answer.text
        self.get("/account/password")
        return self
