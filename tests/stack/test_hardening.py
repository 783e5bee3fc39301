"""Container privileges, network access, and secrets that Docker must not reveal."""

import json

import pytest

from tests.stack.system import RUNNING, SAMPLE_SECRETS, System

pytestmark = pytest.mark.stack
ROOT_BY_ITS_IMAGE = {"phpmyadmin"}


def test_no_process_is_root_but_where_its_image_demands_it(system: System) -> None:
    containers = system.containers()
    uids = {
        name: set(system.run("docker", "top", containers[name]["Id"], "-eo", "pid,uid").stdout.split()[3::2])
        for name in RUNNING
    }

    assert {name for name, found in uids.items() if "0" in found} == ROOT_BY_ITS_IMAGE


def test_every_published_port_is_bound_to_loopback_until_setup(system: System) -> None:
    bound = {
        (name, inside, binding["HostIp"])
        for name, container in system.containers().items()
        for inside, bindings in (container["HostConfig"]["PortBindings"] or {}).items()
        for binding in bindings
    }

    assert bound == {
        ("nginx", "80/tcp", "127.0.0.1"),
        ("db", "3306/tcp", "127.0.0.1"),
        ("db-replica", "3306/tcp", "127.0.0.1"),
        ("phpmyadmin", "80/tcp", "127.0.0.1"),
    }


def test_the_balancer_reaches_no_database(system: System) -> None:
    networks = {name: set(found["NetworkSettings"]["Networks"]) for name, found in system.containers().items()}

    assert not networks["nginx"] & (networks["db"] | networks["db-replica"] | networks["phpmyadmin"])


def test_instances_and_balancer_cannot_change_their_files_or_gain_rights(system: System) -> None:
    for name, container in system.containers().items():
        host = container["HostConfig"]
        if name.startswith("web") or name == "nginx":
            assert host["ReadonlyRootfs"], name
        if name != "phpmyadmin":
            assert host["CapDrop"] == ["ALL"], name
        if name in RUNNING:
            assert "no-new-privileges:true" in host["SecurityOpt"], name
            assert host["Memory"] > 0, name
        assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "5"}, name


def test_docker_and_the_logs_tell_no_secret(system: System) -> None:
    reported = json.dumps(system.containers()) + system.run("docker", "image", "inspect", system.image).stdout
    reported += system.run("docker", "history", "--no-trunc", system.image).stdout
    reported += system.compose("config").stdout + system.compose("logs").stdout
    values = {path.name: path.read_text().strip() for path in system.secrets.iterdir()}

    assert [name for name, value in values.items() if value in reported] == []
    assert len(values) >= 7


def test_production_refuses_every_sample_secret_in_a_line_each(system: System) -> None:
    changed = {"INVENTORY_SECRETS": str(SAMPLE_SECRETS), "INVENTORY_ENV": "production"}
    ended = system.compose("run", "--rm", "--no-deps", "web1", fails=True, changed=changed)
    lines = [line for line in ended.stderr.splitlines() if line.startswith("inventory: ")]

    refused = ["DATABASE_PASSWORD", "MONITOR_PASSWORD", "SECRET_KEY"]
    assert [line.partition(" lleva un secreto de muestra")[0] for line in lines] == [
        f"inventory: WEB-001: INVENTORY_{name}" for name in refused
    ]
    assert "Traceback" not in ended.stderr


def test_the_image_holds_no_compiler_and_no_cache_of_packages(system: System) -> None:
    question = "command -v gcc cc make npm node; ls -d ~root/.cache /packages /src /wheels 2>/dev/null; id -u"
    reported = [
        system.compose("exec", "-T", *user, "web1", "sh", "-c", question).stdout for user in ((), ("--user", "0"))
    ]

    # The first may not look into every folder; the second may.
    assert [each.split() for each in reported] == [["10001"], ["0"]]
