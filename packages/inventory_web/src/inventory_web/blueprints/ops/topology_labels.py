"""Labels of the topology."""

import math

from flask_babel import gettext, ngettext

from inventory_web.blueprints.ops.topology import Balancer, DatabaseServer, Instance
from inventory_web.i18n.labels import format_number

KINDS = {"sqlite": "SQLite", "mysql": "MySQL"}


def mode_title(mode: str) -> str:
    """Return the mode in a few words."""
    texts = {
        "single": gettext("Una sola base de datos"),
        "normal": gettext("Todo funciona"),
        "source_only": gettext("Sin réplicas"),
        "read_only": gettext("Solo lectura"),
        "down": gettext("Sin base de datos"),
    }
    return texts.get(mode, mode)


def mode_text(mode: str) -> str:
    """Return what users can do in this mode."""
    texts = {
        "single": gettext("Puede consultar y cambiar todo. Los datos están en una sola base de datos, sin réplicas."),
        "normal": gettext("Puede consultar y cambiar todo. Las consultas se reparten entre las réplicas."),
        "source_only": gettext(
            "Puede consultar y cambiar todo. Ninguna réplica atiende ahora, así que la fuente lo hace todo y puede ir más lento."
        ),
        "read_only": gettext(
            "Puede consultar, y lo que ve puede tener algo de retraso. No se puede guardar nada hasta que vuelva la fuente: "
            "los formularios esperan y no se pierde lo que escriba."
        ),
        "down": gettext("Ahora no se puede consultar ni cambiar nada. Lo guardado sigue en los servidores."),
    }
    return texts.get(mode, "")


def balancer_text(balancer: Balancer) -> str:
    """Return the label of the balancer."""
    texts = {
        Balancer.DECLARED: gettext("Reparte las peticiones entre las instancias"),
        Balancer.UNDECLARED: gettext("La petición llegó por un proxy, pero INVENTORY_PROXIES es 0"),
        Balancer.NONE: gettext("No hay: su navegador habla con la instancia"),
    }
    return texts[balancer]


def instance_state(instance: Instance) -> str:
    """Return whether an instance responds."""
    if instance.here:
        return gettext("Ha servido esta página")
    seconds = seconds_text(instance.seconds)
    if instance.health == "well":
        return gettext("Respondió hace %(seconds)s", seconds=seconds)
    return gettext("Sin responder desde hace %(seconds)s", seconds=seconds)


def server_role(server: DatabaseServer, kind: str) -> str:
    """Return the label of a server's role."""
    if server.state == "single":
        return KINDS.get(kind, kind)
    return gettext("Fuente") if server.state == "source" else gettext("Réplica")


def server_state(server: DatabaseServer) -> str:
    """Return the state of a server."""
    texts = {
        "single": gettext("Funciona"),
        "source": gettext("Guarda los cambios"),
        "replica": gettext("Atiende consultas"),
        "stalled": gettext("No recibe cambios: sus datos envejecen"),
        "unreachable": gettext("No responde"),
        "refused": gettext("Responde, pero no se puede usar"),
        "deposed": gettext("Fue la fuente y hay otra: no se usa hasta que se reincorpore"),
        "draining": gettext("No recibe nada nuevo: se va a parar"),
    }
    return texts.get(server.state, server.state)


def staleness_text(server: DatabaseServer) -> str:
    """Return the staleness of a server."""
    if server.state in ("source", "single"):
        return gettext("al día")
    if server.staleness_seconds is None:
        return gettext("no se sabe")
    return gettext("hasta %(seconds)s", seconds=seconds_text(math.ceil(server.staleness_seconds)))


def seconds_text(seconds: int) -> str:
    """Return a number of seconds."""
    return ngettext("%(number)s segundo", "%(number)s segundos", seconds, number=format_number(seconds))
