"""A small Flask application that stores numbers and shows them, as often as a test wants instances of it."""

from collections.abc import Iterator

from flask import Flask, Response
from sqlalchemy.orm import Session

from inventory_replication import ReplicatedCluster
from inventory_replication.errors import ServerLost, UnitOfWorkMisused
from inventory_replication.integrations.flask import CausalRequests, allow_stale, current_context, from_source
from tests.replication.runtime.clusters import put, stored


def instance(cluster: ReplicatedCluster[Session], table: str) -> Flask:
    app = Flask("numbers")
    CausalRequests(app, cluster)

    @app.post("/<int:number>")
    def store(number: int) -> str:
        return str(cluster.write(put(table, number)))

    def shown() -> dict[str, object]:
        with cluster.reader() as session:
            return {"numbers": stored(session, table), "role": current_context().served[-1].role}

    app.add_url_rule("/", "shown", shown)
    app.add_url_rule("/exact", "exact", from_source(shown))
    app.add_url_rule("/loose", "loose", allow_stale(30)(shown))
    app.add_url_rule("/nothing", "nothing", lambda: "no database")

    @app.get("/late/<int:number>")
    def late(number: int) -> Response:
        def lines() -> Iterator[str]:
            try:
                cluster.write(put(table, number))
            except UnitOfWorkMisused as error:
                yield error.code

        return Response(lines(), mimetype="text/plain")

    @app.post("/twice/<int:number>")
    def twice(number: int) -> str:
        cluster.write(put(table, number))
        with cluster.reader(staleness_bound=1e-9, from_source=True) as session:
            raise ServerLost(str(stored(session, table)))

    @app.get("/stream")
    def stream() -> Response:
        def lines() -> Iterator[str]:
            with cluster.reader() as session:
                yield from (f"{number}\n" for number in stored(session, table))

        return Response(lines(), mimetype="text/plain")

    return app
