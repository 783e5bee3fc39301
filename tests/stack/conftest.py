"""Fixtures of the container tests: logged-in clients and fresh rate limits."""

import pytest

from tests.stack.system import System
from tests.stack.visitor import Visitor


@pytest.fixture(scope="session")
def cookies(system: System) -> dict[str, str]:
    """Of one login for all tests: logins are limited."""
    return system.administrator().cookies


@pytest.fixture
def admin(system: System, cookies: dict[str, str]) -> Visitor:
    """Somebody who is logged in, and has seen a page with a form."""
    visitor = system.visitor()
    visitor.cookies.update(cookies)
    visitor.get("/inventory")
    return visitor


@pytest.fixture
def unspent_limits(system: System) -> None:
    """A balancer that has counted no attempt yet: name it before those who visit, since its port changes."""
    system.compose("restart", "nginx")
    system.wait_for_balancer()
