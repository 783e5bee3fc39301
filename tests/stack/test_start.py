"""First start from empty volumes, and a second start that changes nothing."""

import json
import re

import pytest

from tests.stack.drills import INSTANCES, all_is_well, databases, gone
from tests.stack.system import ONCE, RUNNING, System, eventually
from tests.stack.visitor import Visitor

pytestmark = pytest.mark.stack

BALANCER_WAITS_SECONDS = 60
"""For an instance that is ready; then the balancer starts anyway."""
UPDATABLE = re.compile(r"GRANT UPDATE, DELETE ON `inventory`\.`(\w+)` TO `app`@`%`")
INSERT_ONLY = {
    "inventory_movement",
    "inventory_operation",
    "inventory_operation_result",
    "inventory_product_revision",
    "inventory_web_audit_event",
}
VERSIONS = {"inventory_core_version", "inventory_web_version"}
"""Written by the account that migrates."""


def test_every_service_is_up_and_healthy_and_those_that_run_once_ended_well(system: System) -> None:
    eventually("every service is healthy", lambda: {system.health(name) for name in RUNNING} == {"healthy"})
    containers = system.containers()

    assert set(containers) == RUNNING | ONCE
    assert {name: containers[name]["State"]["ExitCode"] for name in ONCE} == dict.fromkeys(ONCE, 0)


def test_the_balancer_starts_with_one_instance(system: System) -> None:
    awaited = json.loads(system.compose("config", "--format", "json").stdout)["services"]["nginx"]["depends_on"]
    with gone(system, "web2", "web3"):
        system.compose("restart", "nginx")
        eventually(
            "the balancer is healthy", lambda: system.health("nginx") == "healthy", seconds=BALANCER_WAITS_SECONDS - 15
        )
        instances = {system.visitor().instance() for _ in range(3)}
    eventually("all is well again", lambda: all_is_well(system))

    assert {service["condition"] for service in awaited.values()} == {"service_started"}
    assert instances == {"web1"}


def test_the_first_account_has_the_password_that_was_made_and_not_the_public_one(system: System) -> None:
    visitor = system.visitor()
    visitor.get("/login")

    assert visitor.post("/login", username="admin", password="admin123").status == 422
    assert system.administrator().get("/inventory").status == 200


def test_a_second_start_changes_nothing(system: System) -> None:
    # Other tests may have left containers with options of their own.
    system.up()
    before = {name: (found["Id"], found["State"]["StartedAt"]) for name, found in system.containers().items()}
    system.up()
    after = {name: (found["Id"], found["State"]["StartedAt"]) for name, found in system.containers().items()}

    assert {name: after[name] for name in RUNNING} == {name: before[name] for name in RUNNING}
    assert {name: after[name][0] for name in ONCE} == {name: before[name][0] for name in ONCE}
    assert "nothing to do" in system.compose("logs", "provision").stdout
    assert "nothing to do" in system.compose("logs", "certificates").stdout
    assert system.containers()["migrate"]["State"]["ExitCode"] == 0


def test_the_replica_follows_the_source_over_tls_and_takes_no_writes(system: System) -> None:
    reported = system.query(
        "db-replica",
        "SELECT c.HOST, c.AUTO_POSITION, c.SSL_VERIFY_SERVER_CERTIFICATE, s.SERVICE_STATE, @@super_read_only FROM "
        "performance_schema.replication_connection_configuration c "
        "JOIN performance_schema.replication_connection_status s USING (CHANNEL_NAME)",
    )
    kept = "SELECT VARIABLE_VALUE FROM performance_schema.persisted_variables WHERE VARIABLE_NAME='super_read_only'"

    assert reported.split("\t") == ["db", "1", "YES", "ON", "1"]
    assert system.query("db-replica", kept) == "ON"
    assert system.query("db", "SELECT @@super_read_only") == "0"


def test_each_instance_knows_the_source_and_that_its_replica_is_near(system: System) -> None:
    reported = databases(system)

    assert set(reported) == set(INSTANCES)
    for database in reported.values():
        assert database["mode"] == "normal"
        assert database["source"] == {"name": "db", "state": "up"}
        (replica,) = database["replicas"]
        assert (replica["name"], replica["state"]) == ("db-replica", "replica")
        assert 0 <= replica["staleness_seconds"] < 5


def test_accounts_of_the_application_hold_the_least_that_they_need(system: System) -> None:
    grants = system.query("db", "SHOW GRANTS FOR app@'%'").splitlines()
    secured = system.query("db", "SELECT ssl_type FROM mysql.user WHERE user IN ('app', 'migrator', 'replication')")

    assert grants[:2] == ["GRANT USAGE ON *.* TO `app`@`%`", "GRANT SELECT, INSERT ON `inventory`.* TO `app`@`%`"]
    changed = {found[1] for grant in grants[2:] if (found := UPDATABLE.fullmatch(grant))}
    tables = set(system.query("db", "SHOW TABLES FROM inventory").split())
    assert len(changed) == len(grants) - 2
    assert tables - changed == INSERT_ONLY | VERSIONS
    assert secured.split() == ["ANY", "ANY", "ANY"]


def test_a_source_that_restarts_is_used_again_and_followed_again(system: System, admin: Visitor) -> None:
    system.compose("restart", "db")
    eventually("the list is served", lambda: admin.get("/inventory").status == 200)
    eventually("the source is healthy", lambda: system.health("db") == "healthy")
    eventually("every instance has the source back", lambda: all_is_well(system))
    admin.get("/products/new")
    saved = admin.post("/products/new", code="AFTER-RESTART", name="Lámpara", quantity="3", minimum="0")

    assert saved.status == 303, saved.text
    question = "SELECT COUNT(*) FROM inventory.inventory_product WHERE code = 'AFTER-RESTART'"
    eventually("the replica has it", lambda: system.query("db-replica", question) == "1")
