"""phpMyAdmin offers both servers and requires a login on each."""

import re

import pytest

from tests.stack.phpmyadmin import REPLICA, SOURCE, PhpMyAdmin
from tests.stack.system import System
from tests.stack.visitor import Visitor

pytestmark = pytest.mark.stack


def test_both_servers_are_offered_and_an_account_is_requested(system: System) -> None:
    page = Visitor("127.0.0.1", system.port("phpmyadmin", 80)).get("/").text
    offered = re.findall(r'<option\s+value="(\d)"[^>]*>\s*(\w+)\s*<', page)

    assert offered == [(SOURCE, "Source"), (REPLICA, "Replica")]
    assert 'name="pma_username"' in page
    assert 'name="pma_password"' in page


@pytest.mark.parametrize(("server", "name"), [(SOURCE, "db"), (REPLICA, "db-replica")])
def test_an_administrator_of_mysql_gets_in_on_each_server(system: System, server: str, name: str) -> None:
    assert f"{name} via TCP/IP" in PhpMyAdmin(system, server).page("/").text
