"""The picture of the system: balancer, instances and servers, and what a person can do."""

import re

import pytest
from flask import Flask

from inventory_replication.status import ClusterStatus, ServerStatus
from inventory_web.blueprints.ops import topology
from inventory_web.blueprints.ops.topology import Balancer, DatabaseServer, Health, Instance
from inventory_web.blueprints.ops.topology_views import Part, system_picture
from tests.web.blueprints.charts.reading import Picture
from tests.web.blueprints.site import Site, Visitor


def server(name: str, role: str, state: str, staleness: float | None) -> ServerStatus:
    return ServerStatus(name, f"{name}:3306", role, state, staleness, 0, "closed", "")


def lines(page: str) -> list[list[str]]:
    """The table of the page."""
    rows = page.split("<tbody>")[1].split("</tbody>", maxsplit=1)[0].split("<tr")[1:]
    return [
        [re.sub("<[^>]*>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows
    ]


def drawn(page: str) -> Picture:
    found = re.search(r'<svg class="chart chart-system".*?</svg>', page, re.DOTALL)
    assert found
    return Picture.of(found[0])


def test_an_embedded_database_is_shown_as_the_one_that_it_is(viewer: Visitor) -> None:
    page = viewer.get("/system").text
    instance = viewer.get("/system").headers["X-Served-By"]

    assert "Una sola base de datos." in page
    assert lines(page) == [
        ["Balanceador", "—", "No hay: su navegador habla con la instancia", "", ""],
        ["Instancia", instance, "Ha servido esta página", "", "Sí, esta página"],
        ["SQLite", "Base de datos", "Funciona", "al día", "Sí, esta página"],
    ]
    assert drawn(page).texts("value") == ["Su navegador", instance, "Base de datos"]


def test_the_part_that_renews_itself_is_sent_alone(site: Site) -> None:
    part = site.operator.get("/system", htmx=True).text

    assert part.lstrip().startswith('<div id="system-now"')
    assert "<html" not in part


def test_instances_that_answered_the_browser_are_shown_and_silent_ones_named(site: Site) -> None:
    page = site.operator.get("/system", seen="web-8~3,web-9~95,web-8~7").text

    assert ["Instancia", "web-8", "Respondió hace 3 segundos", "", ""] in lines(page)
    assert ["Instancia", "web-9", "Sin responder desde hace 95 segundos", "", ""] in lines(page)
    assert {"web-8", "web-9"} <= set(drawn(page).texts("value"))


@pytest.mark.parametrize(
    "seen",
    ["<script>alert(1)</script>~1", "a~-1", "a", "~1", "a~1~2", "é~1", "x" * 61 + "~1", "a~99999999", ",,,", "\x00~1"],
)
def test_what_no_instance_is_called_is_left_out(seen: str) -> None:
    assert topology.instances("here", seen) == (Instance("here", 0, here=True),)


def test_no_address_makes_a_long_page() -> None:
    seen = ",".join(f"web-{number}~1" for number in range(10_000))

    assert len(topology.instances("here", seen)) == topology.MOST_INSTANCES


def test_this_instance_is_not_believed_to_be_silent() -> None:
    assert topology.instances("web-1", "web-1~500,web-2~1") == (Instance("web-1", 0, here=True), Instance("web-2", 1))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, True, Balancer.DECLARED),
        (2, False, Balancer.DECLARED),
        (0, True, Balancer.UNDECLARED),
        (0, False, Balancer.NONE),
    ],
)
def test_a_balancer_is_known_by_the_settings_or_by_what_it_adds(
    proxies: int, forwarded: bool, expected: Balancer
) -> None:
    assert topology.balancer(proxies, forwarded=forwarded) is expected


def test_a_proxy_that_the_settings_do_not_know_is_reported(site: Site) -> None:
    answer = site.operator.client.get("/system", headers={"X-Forwarded-For": "203.0.113.7"})

    assert "INVENTORY_PROXIES es 0" in answer.text


def test_the_source_is_first_and_each_server_says_how_it_is() -> None:
    status = ClusterStatus(
        "normal",
        1,
        "db",
        "",
        (
            server("db-replica", "replica", "replica", 0.4),
            server("db", "source", "source", 0.0),
            server("db-old", "none", "unreachable", None),
            server("db-slow", "none", "stalled", 900.0),
        ),
    )

    found = topology.servers(status, ["db-replica"])

    assert found == (
        DatabaseServer("db", "source", 0.0, here=False),
        DatabaseServer("db-replica", "replica", 0.4, here=True),
        DatabaseServer("db-old", "unreachable", None, here=False),
        DatabaseServer("db-slow", "stalled", 900.0, here=False),
    )
    assert [each.health for each in found] == [Health.WELL, Health.WELL, Health.NOT, Health.LIMITED]


@pytest.mark.parametrize("counts", [(1, 1), (1, 1, 3, 2), (1, 9, 7), (2, 4)])
def test_every_part_is_inside_the_picture_and_apart_from_the_others(counts: tuple[int, ...]) -> None:
    layers = [
        [Part(f"p-{layer}-{each}", "Instancia", Health.WELL, each == 0) for each in range(count)]
        for layer, count in enumerate(counts)
    ]
    picture = Picture.of(system_picture("t", "d", layers))
    boxes = list(picture.svg.iter("rect"))
    places = [tuple(float(box.attrib[name]) for name in ("x", "y", "width", "height")) for box in boxes]

    assert len(boxes) == sum(counts)
    assert picture.outside() == []
    width, height = picture.size
    assert all(x >= 1.5 and x + w <= width - 1.5 and y >= 1.5 and y + h <= height - 1.5 for x, y, w, h in places)
    assert all(
        one is other
        or one[0] + one[2] <= other[0]
        or other[0] + other[2] <= one[0]
        or one[1] + one[3] <= other[1]
        or other[1] + other[3] <= one[1]
        for one in places
        for other in places
    )
    assert len(list(picture.svg.iter("line"))) == len(counts) - 1


def test_the_page_requires_a_login(app: Flask) -> None:
    assert app.test_client().get("/system").status_code == 302
