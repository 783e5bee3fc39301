"""The system page, with a diagram of the servers."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from flask import Blueprint, Response, request
from flask_babel import gettext
from markupsafe import Markup

from inventory_web.blueprints.charts import box, finished, line, picture, shortened, write
from inventory_web.blueprints.ops import topology
from inventory_web.blueprints.ops.topology import Health
from inventory_web.context import current_inventory, current_settings
from inventory_web.db.replicas import database_kind, replicated_status, servers_of_request
from inventory_web.http.responses import page_or_fragment
from inventory_web.roles import Role, requires

MARGIN = 2
"""Half the width of a thick frame."""
WIDTH = 424
PART_WIDTH, PART_HEIGHT = 132, 52
GAP = 12
PER_LINE = 3
BETWEEN_LAYERS = 34
LONGEST_NAME = 16


@dataclass(frozen=True, slots=True)
class Part:
    """A box: its name, its role, its state, and whether it served this page."""

    name: str
    kind: str
    health: Health
    here: bool


def system_picture(title: str, description: str, layers: Sequence[Sequence[Part]]) -> Markup:
    """Draw the layers (each with at least one part) from top to bottom; lines join those that served this page."""
    tops, height = [], float(MARGIN)
    for parts in layers:
        tops.append(height)
        height += _lines(parts) * (PART_HEIGHT + GAP) - GAP + BETWEEN_LAYERS
    svg = picture("system", title, description, WIDTH, height - BETWEEN_LAYERS + MARGIN)
    above: list[tuple[float, float]] = []
    for top, parts in zip(tops, layers, strict=True):
        places = [_place(parts, number, top) for number in range(len(parts))]
        used = [place for place, part in zip(places, parts, strict=True) if part.here]
        for x, y in above:
            for x_below, y_below in used:
                line(svg, "wire", x + PART_WIDTH / 2, y + PART_HEIGHT, x_below + PART_WIDTH / 2, y_below)
        above = used
    for top, parts in zip(tops, layers, strict=True):
        for number, part in enumerate(parts):
            _draw(svg, part, *_place(parts, number, top))
    return finished(svg)


def _lines(parts: Sequence[Part]) -> int:
    return -(-len(parts) // PER_LINE)


def _place(parts: Sequence[Part], number: int, top: float) -> tuple[float, float]:
    row, column = divmod(number, PER_LINE)
    in_row = min(PER_LINE, len(parts) - row * PER_LINE)
    left = (WIDTH - in_row * PART_WIDTH - (in_row - 1) * GAP) / 2
    return left + column * (PART_WIDTH + GAP), top + row * (PART_HEIGHT + GAP)


def _draw(svg: Element, part: Part, x: float, y: float) -> None:
    box(svg, f"part chart-{part.health}{' chart-here' if part.here else ''}", x, y, PART_WIDTH, PART_HEIGHT)
    write(svg, shortened(part.name, LONGEST_NAME), x + PART_WIDTH / 2, y + (22 if part.kind else 31), "middle", "value")
    if part.kind:
        write(svg, shortened(part.kind, LONGEST_NAME + 3), x + PART_WIDTH / 2, y + 40, "middle", "tick")


topology_blueprint = Blueprint("system", __name__, template_folder="templates")


@topology_blueprint.get("/system", endpoint="picture")
@requires(Role.VIEWER)
def show() -> Response:
    """Show balancer, instances and servers; ``seen`` is what this browser knows of other instances."""
    system = _look(request.args.get("seen", ""))
    kind = database_kind(current_inventory().sessions)
    return page_or_fragment(
        "system/page.html",
        "system/now.html",
        system=system,
        kind=kind,
        words=topology,
        drawing=_drawn(system, kind),
    )


def _look(seen: str) -> topology.System:
    sessions, settings = current_inventory().sessions, current_settings()
    status = replicated_status(sessions)
    if status is None:
        mode = "single"
        servers: tuple[topology.DatabaseServer, ...] = (
            topology.DatabaseServer(gettext("Base de datos"), "single", 0.0, here=True),
        )
    else:
        mode, servers = status.mode, topology.servers(status, servers_of_request(sessions))
    # The original headers: the trusted proxy's are removed from the request's view of them.
    forwarded = any(name in request.environ for name in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED"))
    return topology.System(
        topology.balancer(settings.proxies, forwarded=forwarded),
        topology.instances(settings.instance, seen),
        servers,
        mode,
    )


def _drawn(system: topology.System, kind: str) -> str:
    layers = [
        [Part(each.name, gettext("Instancia"), each.health, each.here) for each in system.instances],
        [Part(each.name, topology.server_role(each, kind), each.health, each.here) for each in system.servers],
    ]
    if system.balancer is not topology.Balancer.NONE:
        layers.insert(0, [Part(gettext("Balanceador"), "", topology.Health.WELL, here=True)])
    layers.insert(0, [Part(gettext("Su navegador"), "", topology.Health.WELL, here=True)])
    return system_picture(gettext("El sistema ahora mismo"), _told(system), layers)


def _told(system: topology.System) -> str:
    here = [each.name for each in system.instances if each.here] + [each.name for each in system.servers if each.here]
    return f"{topology.mode_title(system.mode)}. " + gettext(
        "Esta página pasó por: %(names)s. Los detalles están en la tabla.", names=", ".join(here)
    )
