"""`down` with volumes removes everything of the project."""

from collections.abc import Iterator

import pytest

from tests.stack.system import (
    COMPOSE_FILE,
    ONCE,
    RUNNING,
    SAMPLE_SECRETS,
    SECOND_REPLICA_OVERLAY,
    System,
    new_project,
    removed_at_the_end,
)

pytestmark = pytest.mark.stack


@pytest.fixture
def created(image: str) -> Iterator[System]:
    """Everything that Compose makes, overlay included, without starting it; the volumes of the databases have been written to."""
    with removed_at_the_end(System(new_project(), SAMPLE_SECRETS, image)) as system:
        files = ("-f", str(COMPOSE_FILE), "-f", str(SECOND_REPLICA_OVERLAY))
        system.compose("build", "provision")
        system.compose(*files, "create")
        system.compose("up", "--detach", "--no-deps", "db")
        yield system


def left(system: System) -> dict[str, int]:
    """Containers, volumes and networks of the project."""
    label = ("--quiet", "--filter", f"label=com.docker.compose.project={system.project}")
    kinds = {"containers": ("ps", "--all"), "volumes": ("volume", "ls"), "networks": ("network", "ls")}
    return {kind: len(system.run("docker", *command, *label).stdout.split()) for kind, command in kinds.items()}


def test_down_with_volumes_leaves_nothing_behind(created: System) -> None:
    before = left(created)
    files = ("-f", str(COMPOSE_FILE), "-f", str(SECOND_REPLICA_OVERLAY))
    created.compose(*files, "down", "--volumes", "--timeout", "5")

    assert before == {"containers": len(RUNNING | ONCE) + 1, "volumes": 6, "networks": 2}
    assert left(created) == {"containers": 0, "volumes": 0, "networks": 0}
