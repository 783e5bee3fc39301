"""A full disk: a clear error, no partial writes, and recovery once there is space."""

import re
from collections.abc import Iterator

import pytest

from tests.stack.overlays import SMALL_DISKS, overlaid
from tests.stack.system import SAMPLE_SECRETS, System, eventually, new_project, removed_at_the_end
from tests.stack.visitor import Answer, Visitor

pytestmark = pytest.mark.stack
FILL = "dd if=/dev/zero of=/var/lib/mysql/filler bs=64k 2>/dev/null; true"
ROOM = 3_000_000


class SmallSystem(System):
    """A system that Compose always reads with one additional file, next to its secrets."""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | overlaid(self.secrets.parent, SMALL_DISKS)


@pytest.fixture(scope="module")
def small(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallSystem]:
    """Two databases and one instance, of which the source and the instance have little space."""
    secrets = tmp_path_factory.mktemp("full") / "secrets"
    secrets.symlink_to(SAMPLE_SECRETS)
    started = SmallSystem(new_project(), secrets, image)
    with removed_at_the_end(started):
        started.compose("build", "provision")
        started.compose("up", "--detach", "web1")
        eventually("the instance is healthy", lambda: started.health("web1") == "healthy")
        yield started


@pytest.fixture
def admin(small: SmallSystem) -> Visitor:
    """Somebody at the instance itself: there is no balancer here."""
    return Visitor("127.0.0.1", small.port("web1", 8000)).logged_in("admin", small.admin_password)


def register(visitor: Visitor, code: str, operation: str = "") -> Answer:
    page = visitor.get("/products/new").text
    shown = re.search(r'name="operation" value="([^"]+)"', page)
    assert shown
    values = {"code": code, "name": "Tornillo", "quantity": "1", "minimum": "0"}
    return visitor.post("/products/new", operation=operation or shown[1], **values)


def test_a_change_on_a_full_source_is_answered_and_stored_once_when_there_is_room(
    small: SmallSystem, admin: Visitor
) -> None:
    assert register(admin, "BEFORE").status == 303
    small.compose("exec", "-T", "db", "sh", "-c", FILL)
    try:
        answers = [register(admin, "FULL", "0" * 32)]
        while answers[-1].status == 303 and len(answers) < 40:
            answers.append(register(admin, f"FULL-{len(answers)}"))
        refused, read = answers[-1], admin.get("/inventory?search=BEFORE")
        log = small.compose("logs", "db").stdout
    finally:
        small.compose("exec", "-T", "db", "rm", "/var/lib/mysql/filler")

    # Certainly not stored, or unknown: the COMMIT hangs until there is space.
    assert (refused.status, refused.header("X-Changed")) in {(503, "no"), (504, "unknown")}
    assert re.search(r"(REP|INV)-0\d\d", refused.text)
    assert (read.status, "BEFORE" in read.text) == (200, True)
    assert "Disk is full writing" in log
    eventually("changes are taken again", lambda: register(admin, "AFTER").status in {303, 422})
    # Whoever was left in doubt repeats the form: with its number it is carried out once.
    repeated = register(admin, "FULL", "0" * 32)
    assert repeated.status == 303, repeated.text
    assert small.query("db", "SELECT COUNT(*) FROM inventory.inventory_product WHERE code = 'FULL'") == "1"
    assert "0 fallos" in small.compose("exec", "-T", "web1", "inventory", "verify").stdout


def test_a_file_for_which_the_instance_has_no_room_is_refused_with_a_clear_line(admin: Visitor) -> None:
    admin.get("/imports/new")
    table = b"code,name\n" + b"".join(b"C-%06d,Tornillo\n" % number for number in range(2 * ROOM // 16))
    refused = admin.upload("/imports/new", "large.csv", table)
    admin.get("/imports/new")
    later = admin.upload("/imports/new", "small.csv", b"code,name\nC-1,Tornillo\n")

    assert (refused.status, "WEB-507" in refused.text) == (507, True)
    assert later.status == 303, later.text
    assert admin.get("/inventory/export.csv").status == 200
