"""Restarted, replaced, paused or disconnected instances: no request fails, and no change runs twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.stack.drills import INSTANCES, all_is_well, well_before_and_after
from tests.stack.system import System, eventually
from tests.stack.traffic import Traffic, movements
from tests.stack.visitor import Visitor

pytestmark = pytest.mark.stack
REPLACE = ("up", "--detach", "--no-deps", "--wait", "--force-recreate")
Fault = Callable[[System], None]


@contextmanager
def traffic(system: System, admin: Visitor) -> Iterator[Traffic]:
    """Users at work during the block; afterwards none of their requests has failed, and no change was made twice."""
    users = Traffic(admin, "TRAFFIC")
    for code in users.codes:
        admin.get("/products/new")
        assert admin.post("/products/new", code=code, name="Tornillo", quantity="1", minimum="0").status in {303, 422}
    before = movements(system, users.prefix)
    with well_before_and_after(system), users.running():
        yield users

    assert users.failures == []
    assert movements(system, users.prefix) - before == users.confirmed > 0


def restart_each(system: System) -> None:
    for instance in INSTANCES:
        system.compose("restart", instance)


def replace_each(system: System) -> None:
    for instance in INSTANCES:
        system.compose(*REPLACE, instance)


@pytest.mark.parametrize("fault", [restart_each, replace_each])
def test_instances_that_are_restarted_or_replaced_in_turn_fail_no_request_of_2000(
    system: System, admin: Visitor, fault: Fault
) -> None:
    with traffic(system, admin) as users:
        users.wait_for(50)
        while users.requests < 2000:
            fault(system)
            eventually("every instance is back", lambda: all_is_well(system))


def test_an_instance_cut_off_from_the_databases_fails_no_request(system: System, admin: Visitor) -> None:
    network, container = f"{system.project}_data", system.containers()["web1"]["Id"]
    with traffic(system, admin) as users:
        users.wait_for(50)
        system.run("docker", "network", "disconnect", network, container)
        try:
            users.wait_for(200)
        finally:
            system.run("docker", "network", "connect", "--alias", "web1", network, container)
        users.wait_for(50)


def test_a_paused_instance_fails_no_request(system: System, admin: Visitor) -> None:
    with traffic(system, admin) as users:
        users.wait_for(50)
        system.compose("pause", "web1")
        try:
            users.wait_for(100)
        finally:
            system.compose("unpause", "web1")
        users.wait_for(50)
