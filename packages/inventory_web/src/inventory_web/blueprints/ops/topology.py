"""The parts of the system: balancer, instances and servers, and their labels."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import gettext, ngettext

from inventory_web.db.replicas import ClusterStatus
from inventory_web.i18n.labels import format_number

MOST_INSTANCES = 9
POLL_SECONDS = 2
"""The time between two polls of the page. The balancer sends each to some instance, so that all appear soon."""
SILENT_SECONDS = 20
"""Time without a response after which an instance counts as silent: about ten polls."""
_SEEN = re.compile(r"([\w.-]{1,60})~(\d{1,6})", re.ASCII)


class Balancer(StrEnum):
    """The balancer between the browser and this instance."""

    DECLARED = "declared"
    """The settings name a proxy."""
    UNDECLARED = "undeclared"
    """The request came through a proxy that the settings do not name."""
    NONE = "none"


class Health(StrEnum):
    """The health of a part."""

    WELL = "well"
    LIMITED = "limited"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Instance:
    """A process that serves pages. ``seconds``: time since its last response to this browser; ``here``: it served this page."""

    name: str
    seconds: int
    here: bool = False

    @property
    def health(self) -> Health:
        """Return whether it has responded recently."""
        return Health.WELL if self.seconds < SILENT_SECONDS else Health.NOT


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """A server as this instance sees it. ``staleness_seconds`` None: unknown; ``here``: it served this page."""

    name: str
    state: str
    staleness_seconds: float | None
    here: bool

    @property
    def health(self) -> Health:
        """Return whether it serves fully, with limits, or not at all."""
        if self.state in ("source", "replica", "single"):
            return Health.WELL
        return Health.LIMITED if self.state in ("stalled", "draining") else Health.NOT


@dataclass(frozen=True, slots=True)
class System:
    """The whole topology. ``mode``: that of the cluster, or ``single`` with one database."""

    balancer: Balancer
    instances: tuple[Instance, ...]
    servers: tuple[DatabaseServer, ...]
    mode: str
    poll_seconds: int = POLL_SECONDS

    @property
    def seen_later(self) -> str:
        """Return the instances as the next poll reports them: see ``instances``."""
        return ",".join(f"{each.name}~{each.seconds + self.poll_seconds}" for each in self.instances)


def balancer(proxies: int, *, forwarded: bool) -> Balancer:
    """Detect a proxy from the settings, and from the headers of the request."""
    if proxies:
        return Balancer.DECLARED
    return Balancer.UNDECLARED if forwarded else Balancer.NONE


def instances(here: str, seen: str) -> tuple[Instance, ...]:
    """Return this instance and those that the browser has ``seen``: ``name~seconds``, separated by commas; skip invalid parts."""
    ages: dict[str, int] = {}
    for text in seen[:2_000].split(","):
        if (found := _SEEN.fullmatch(text)) and found[1] != here:
            ages[found[1]] = min(int(found[2]), ages.get(found[1], 10**6))
    others = [Instance(name, seconds) for name, seconds in ages.items()][: MOST_INSTANCES - 1]
    return tuple(sorted([Instance(here, 0, here=True), *others], key=lambda instance: instance.name))


def servers(status: ClusterStatus, served: Iterable[str]) -> tuple[DatabaseServer, ...]:
    """Return the source first, then the others in the order of the settings; those in ``served`` have served this page."""
    here = frozenset(served)
    found = [
        DatabaseServer(each.name, each.state, each.staleness_seconds, each.name in here) for each in status.servers
    ]
    return tuple(sorted(found, key=lambda server: server.name != status.source))


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
