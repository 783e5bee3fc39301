"""The shipped containers with generated passwords, started once for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.system import REPOSITORY, SAMPLE_SECRETS, System, new_project, removed_at_the_end

MINUTES = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test to run waits for the image to be built."""
    for item in items:
        if item.get_closest_marker("stack") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(10 * MINUTES))


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """The tag under which this run builds the image."""
    tag = f"inventory:{new_project()}"
    yield tag
    System("none", SAMPLE_SECRETS, tag).run("docker", "image", "rm", "--force", tag)


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What deploy/setup.sh makes, with a certificate."""
    folder = tmp_path_factory.mktemp("secrets")
    made = System("none", folder, "none")
    made.run(str(REPOSITORY / "deploy" / "setup.sh"), "--into", str(folder), "--tls", "inventory.test")
    return folder


@pytest.fixture(scope="session")
def system(secrets: Path, image: str) -> Iterator[System]:
    """Everything up, from nothing, by the command of the documents."""
    with removed_at_the_end(System(new_project(), secrets, image)) as started:
        started.up("--build")
        yield started
