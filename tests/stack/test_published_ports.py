"""Published ports of the shipped Compose files, as Compose resolves them."""

import json
from collections.abc import Mapping

import pytest

from tests.stack.system import COMPOSE_FILE, SAMPLE_SECRETS, SECOND_REPLICA_OVERLAY, TLS_OVERLAY, System, new_project

pytestmark = pytest.mark.stack


def published(settings: Mapping[str, str]) -> set[tuple[str, int, str]]:
    """Return service, port of the container and host address of each published port."""
    system = System(new_project(), SAMPLE_SECRETS, "none")
    files = [part for file in (COMPOSE_FILE, TLS_OVERLAY, SECOND_REPLICA_OVERLAY) for part in ("-f", str(file))]
    resolved = json.loads(system.compose(*files, "config", "--format", "json", changed=settings).stdout)
    return {
        (name, port["target"], port.get("host_ip", ""))
        for name, service in resolved["services"].items()
        for port in service.get("ports", ())
    }


def test_published_ports_are_bound_to_loopback_by_default() -> None:
    bound = published({})

    assert {address for _, _, address in bound} == {"127.0.0.1"}
    assert {("nginx", 80), ("nginx", 443), ("db", 3306), ("phpmyadmin", 80)} <= {
        (name, port) for name, port, _ in bound
    }


def test_published_ports_of_the_balancer_alone_follow_http_bind() -> None:
    opened = {(name, port) for name, port, address in published({"HTTP_BIND": "192.0.2.1"}) if address != "127.0.0.1"}

    assert opened == {("nginx", 80), ("nginx", 443)}
