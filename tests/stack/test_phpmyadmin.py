"""phpMyAdmin offers both servers and is logged in on none."""

import re

import pytest

from tests.stack.system import System
from tests.stack.visitor import Visitor

pytestmark = pytest.mark.stack


@pytest.fixture
def visitor(system: System) -> Visitor:
    return Visitor("127.0.0.1", system.port("phpmyadmin", 80))


def test_both_servers_are_offered_and_an_account_is_asked_for(visitor: Visitor) -> None:
    page = visitor.get("/").text
    offered = re.findall(r'<option\s+value="(\d)"[^>]*>\s*(\w+)\s*<', page)

    assert offered == [("1", "Source"), ("2", "Replica")]
    assert 'name="pma_username"' in page
    assert 'name="pma_password"' in page


@pytest.mark.parametrize(("server", "name"), [("1", "db"), ("2", "db-replica")])
def test_an_administrator_of_mysql_gets_in_on_each_server(
    system: System, visitor: Visitor, server: str, name: str
) -> None:
    found = re.search(r'name="token" value="([^"]+)"', visitor.get("/").text)
    assert found
    account = {"pma_username": "root", "pma_password": system.root_password(), "server": server}
    entered = visitor.post("/index.php?route=/", token=found[1], **account)
    page = visitor.get(f"/index.php?route=/&server={server}").text

    assert entered.status == 302, entered.text
    assert f"{name} via TCP/IP" in page
