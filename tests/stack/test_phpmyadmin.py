"""phpMyAdmin offers both servers and is logged in on none."""

import re

import pytest

from tests.stack.system import System
from tests.stack.visitor import Visitor

pytestmark = pytest.mark.stack


def test_both_servers_are_offered_and_an_account_is_asked_for(system: System) -> None:
    answer = Visitor("127.0.0.1", system.port("phpmyadmin", 80)).get("/")
    offered = re.findall(r"<option value=\"\d\"[^>]*>\s*(\w+)\s*<", answer.text)

    assert answer.status == 200
    assert offered == ["Source", "Replica"]
    assert 'name="pma_username"' in answer.text
    assert 'name="pma_password"' in answer.text
