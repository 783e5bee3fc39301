"""Health checks, and the plugins of operation."""

from importlib.metadata import version

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.exc import SQLAlchemyError

from inventory_core import InventoryError
from inventory_web import context
from inventory_web.blueprints.ops import metrics
from inventory_web.db.replicas import replicated_status
from inventory_web.http.logs import get_logger
from inventory_web.roles import public

log = get_logger(__name__)


def add_routes(blueprint: Blueprint) -> None:
    """Add the three health routes."""
    blueprint.add_url_rule("/health", view_func=health)
    blueprint.add_url_rule("/health/live", view_func=live)
    blueprint.add_url_rule("/health/ready", view_func=ready)


@public
def health() -> Response:
    """Report the instance and the state of its database. Always 200; use ``ready`` to take an instance out of service."""
    instance = context.current_settings().instance
    if request.accept_mimetypes.best != "application/json":
        return _text(instance)
    works = _can_read()
    return jsonify(
        status="ok" if works else "unavailable",
        instance=instance,
        version=version("inventory-web"),
        database=_database(works=works, named=metrics.may_read(context.current_settings())),
    )


@public
def live() -> Response:
    """Return 200 as long as the process responds, whatever the state of its database."""
    return _text("live")


@public
def ready() -> Response:
    """Return 200 while reads can be served, else 503."""
    if _can_read():
        return _text("ready")
    response = _text("not ready")
    response.status_code = 503
    response.headers["Retry-After"] = "5"
    return response


def _database(*, works: bool, named: bool) -> dict[str, object]:
    """Return the state of each server; names and lag only if ``named``, because the response is public."""
    status = replicated_status(context.current_inventory().sessions)
    if status is None:
        source = {"name": "source", "state": "up" if works else "down"}
        return {"mode": "single", "source": source, "replicas": []}
    replicas = [server for server in status.servers if server.name != status.source]
    return {
        "mode": status.mode,
        "source": {"name": status.source if named else "source", "state": "up"} if status.source else None,
        "replicas": [
            {
                "name": server.name if named else f"replica {number}",
                "state": server.state,
                "staleness_seconds": server.staleness_seconds if named else None,
            }
            for number, server in enumerate(replicas, start=1)
        ],
    }


def _can_read() -> bool:
    """Read something that every page needs, so that a database without our tables does not count as ready."""
    try:
        context.current_inventory().locations()
    except (InventoryError, SQLAlchemyError) as error:
        log.warning("not_ready", error=str(error).splitlines()[0])
        return False
    return True


def _text(line: str) -> Response:
    return Response(f"{line}\n", mimetype="text/plain")
