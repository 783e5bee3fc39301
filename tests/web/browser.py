"""A browser before, during and after a login."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select
from sqlmodel import col
from werkzeug.test import TestResponse

from inventory_web import context
from inventory_web.audit.log import Author
from inventory_web.auth import access_control, authentication
from inventory_web.db.models import User

INITIAL = ("admin", "admin123")
PASSWORD = "una clave larga y propia"


def begin_session(client: FlaskClient, token: str) -> str:
    """Give a client the cookie of a login, and return the CSRF token that a page would have shown."""
    with client.application.test_request_context():
        csrf_token = generate_csrf()
        secret = session["csrf_token"]
    with client.session_transaction() as cookie:
        cookie.permanent = True
        cookie[access_control.TOKEN] = token
        cookie["csrf_token"] = secret
    return csrf_token


class Browser:
    """Keeps cookies, follows nothing, and sends the CSRF token of the last page that it saw."""

    def __init__(self, app: Flask, *, address: str = "192.0.2.1", agent: str = "") -> None:
        self.app = app
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

    def let_in(self, name: str) -> "Browser":
        """Begin a session as the form does after the password: to check a password is slow, and has to be."""
        with self.app.app_context():
            inventory, idle = context.current_inventory(), access_control.idle_time()
        with inventory.sessions.reader() as session:
            user = session.scalars(select(User).where(col(User.name) == name)).one()
            known = authentication.VerifiedLogin(
                user.id or 0, name, authentication.session_fingerprint(user.password_hash), second_factor=False
            )
        author, now = Author(name, self._from["REMOTE_ADDR"]), inventory.clock()
        token = inventory.sessions.write(
            lambda session: authentication.add_session(session, known, now=now, by=author, idle=idle)
        )
        assert token is not None
        self.token = begin_session(self.client, token)
        with self.client.session_transaction() as cookie:
            # As after the first page.
            cookie[access_control.USER] = known.id
        return self

    def logged_in(self, name: str, password: str = PASSWORD) -> "Browser":
        answer = self.log_in(name, password)
        assert answer.status_code == 303, answer.text
        self.get("/account/password")
        return self
