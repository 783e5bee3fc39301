"""HTTP client for phpMyAdmin."""

import re

from tests.stack.system import System
from tests.stack.visitor import Answer, Visitor

SOURCE, REPLICA = "1", "2"


class PhpMyAdmin:
    """Logged in as root on one of its servers."""

    def __init__(self, system: System, server: str) -> None:
        self._visitor = Visitor("127.0.0.1", system.port("phpmyadmin", 80))
        self._server = server
        account = {"pma_username": "root", "pma_password": system.root_password(), "server": server}
        entered = self._visitor.post("/index.php?route=/", token=self._token("/"), **account)
        assert entered.status == 302, entered.text

    def page(self, route: str) -> Answer:
        return self._visitor.get(f"/index.php?route={route}&server={self._server}")

    def run(self, statement: str) -> str:
        """What it says when a statement is sent from its page for SQL."""
        token = self._token("/server/sql")
        requested = {"sql_query": statement, "server": self._server, "token": token, "ajax_request": "true"}
        return self._visitor.post("/index.php?route=/sql", **requested).text

    def _token(self, route: str) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.page(route).text)
        assert found, route
        return found[1]
