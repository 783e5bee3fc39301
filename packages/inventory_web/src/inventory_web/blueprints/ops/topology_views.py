"""The topology page, and its fragment that is polled."""

from flask import Blueprint, Response, request
from flask_babel import gettext

from inventory_web.blueprints.ops import topology, topology_labels
from inventory_web.blueprints.ops.topology_diagram import Part, system_picture
from inventory_web.context import current_inventory, current_settings
from inventory_web.db.replicated import database_kind, replicated_status, servers_of_request
from inventory_web.http.htmx import page_or_fragment
from inventory_web.roles import Role, requires

topology_blueprint = Blueprint("system", __name__, template_folder="templates")


@topology_blueprint.get("/system")
@requires(Role.VIEWER)
def picture() -> Response:
    """Show balancer, instances and servers; ``seen`` is what this browser knows of other instances."""
    system = _look(request.args.get("seen", ""))
    kind = database_kind(current_inventory().sessions)
    return page_or_fragment(
        "system/page.html",
        "system/now.html",
        system=system,
        kind=kind,
        words=topology_labels,
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
        [Part(each.name, topology_labels.server_role(each, kind), each.health, each.here) for each in system.servers],
    ]
    if system.balancer is not topology.Balancer.NONE:
        layers.insert(0, [Part(gettext("Balanceador"), "", topology.Health.WELL, here=True)])
    layers.insert(0, [Part(gettext("Su navegador"), "", topology.Health.WELL, here=True)])
    return system_picture(gettext("El sistema ahora mismo"), _told(system), layers)


def _told(system: topology.System) -> str:
    here = [each.name for each in system.instances if each.here] + [each.name for each in system.servers if each.here]
    return f"{topology_labels.mode_title(system.mode)}. " + gettext(
        "Esta página pasó por: %(names)s. Los detalles están en la tabla.", names=", ".join(here)
    )
