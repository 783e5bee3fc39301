"""One run of the shipped containers: a separate Compose project with free ports, always removed afterwards."""

import contextlib
import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_docker.plugin import DockerComposeExecutor

from tests.stack.visitor import Visitor

REPOSITORY = Path(__file__).parents[2]
COMPOSE_FILE = REPOSITORY / "docker-compose.yml"
TLS_OVERLAY = REPOSITORY / "deploy" / "compose.tls.yml"
SECOND_REPLICA_OVERLAY = REPOSITORY / "deploy" / "compose.second-replica.yml"
SAMPLE_SECRETS = REPOSITORY / "deploy" / "secrets.sample"

RUNNING = frozenset({"nginx", "web1", "web2", "web3", "db", "db-replica", "guard", "phpmyadmin"})
ONCE = frozenset({"certificates", "provision", "migrate"})
PORTS = ("HTTP_PORT", "HTTPS_PORT", "SOURCE_PORT", "REPLICA_PORT", "REPLICA_2_PORT", "PHPMYADMIN_PORT")
PATIENCE = 60.0


@dataclass(frozen=True)
class System:
    """The containers of one project."""

    project: str
    secrets: Path
    image: str

    @property
    def environment(self) -> dict[str, str]:
        """What Compose and the scripts of deploy/ are run with; nothing of the person's own settings."""
        own = {
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": str(COMPOSE_FILE),
            "INVENTORY_SECRETS": str(self.secrets),
            "INVENTORY_IMAGE": self.image,
            "INVENTORY_ENV": "development",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("INVENTORY_", "COMPOSE_"))}
        return kept | dict.fromkeys(PORTS, "0") | own

    @property
    def admin_password(self) -> str:
        """Of the first account."""
        return (self.secrets / "admin_password").read_text().strip()

    def run(
        self, *command: str, stdin: str | None = None, fails: bool = False, changed: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the project's environment; it must succeed, or fail where that is expected."""
        environment = self.environment | dict(changed or {})
        ended = subprocess.run(
            command, cwd=REPOSITORY, env=environment, input=stdin or "", capture_output=True, text=True, check=False
        )
        assert (ended.returncode != 0) == fails, (
            f"{command} ended with {ended.returncode}: {ended.stdout}{ended.stderr}"
        )
        return ended

    def compose(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a subcommand of Compose."""
        return self.run("docker", "compose", *command, **options)

    def up(self, *options: str) -> None:
        """Start everything, and wait until the balancer listens: until then Docker takes connections and resets them."""
        self.compose("up", "--detach", *options)
        self.wait_for_balancer()

    def wait_for_balancer(self) -> None:
        """Until it is healthy: it starts when an instance is ready, for which it waits a minute or more."""
        eventually("the balancer is healthy", lambda: self.health("nginx") == "healthy", seconds=3 * PATIENCE)

    def port(self, service: str, inside: int) -> int:
        """The host port; Docker picks another each time the container starts."""
        return int(self.compose("port", service, str(inside)).stdout.strip().rpartition(":")[2])

    def visitor(self) -> Visitor:
        """Somebody with a browser, not logged in yet."""
        return Visitor("127.0.0.1", self.port("nginx", 80))

    def administrator(self) -> Visitor:
        """Somebody who is logged in as the first account."""
        return self.visitor().logged_in("admin", self.admin_password)

    def containers(self) -> dict[str, dict[str, Any]]:
        """What Docker knows of each container of a service, also of those that have ended."""
        names = self.compose("ps", "--all", "--quiet").stdout.split()
        known = json.loads(self.run("docker", "inspect", *names).stdout)
        return {container["Config"]["Labels"]["com.docker.compose.service"]: container for container in known}

    def health(self, service: str) -> str:
        """What its health check says: ``starting``, ``healthy`` or ``unhealthy``."""
        health: dict[str, str] = self.containers()[service]["State"].get("Health", {})
        return health.get("Status", "")

    def log(self, service: str) -> list[dict[str, Any]]:
        """The lines of a service that are JSON, oldest first."""
        ended = self.run("docker", "logs", self.compose("ps", "--all", "--quiet", service).stdout.strip())
        lines = (ended.stdout + ended.stderr).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def root_password(self) -> str:
        """Of both MySQL servers."""
        return (self.secrets / "root_password").read_text().strip()

    def query(self, service: str, statement: str) -> str:
        """Ask a MySQL server as root, past everything that is under test."""
        login = ("--user=root", f"--password={self.root_password()}", "--default-character-set=utf8mb4")
        client = ("mysql", *login, "--skip-column-names", "--batch", "--execute", statement)
        return self.compose("exec", "-T", service, *client).stdout.strip()


def eventually(what: str, check: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Ask until the answer is true."""
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.2)


def new_project() -> str:
    """A name that no other run has."""
    return f"inventory-stack-{uuid.uuid4().hex[:10]}"


@contextlib.contextmanager
def removed_at_the_end(system: System) -> Iterator[System]:
    """Remove containers, networks and volumes, also those of overlays, and also when starting fails."""
    try:
        yield system
    except AssertionError as failure:
        failure.add_note(system.compose("logs", "--tail", "40").stdout)
        raise
    finally:
        compose = DockerComposeExecutor("docker compose", [str(COMPOSE_FILE)], system.project)
        compose.execute("down --volumes --remove-orphans --timeout 1")
        left = system.run("docker", "volume", "ls", "--quiet", "--filter", f"name={system.project}_").stdout.split()
        if left:
            system.run("docker", "volume", "rm", *left)
