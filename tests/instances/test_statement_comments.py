"""What a MySQL server knows of a request while, and after, it carries out its statements."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.replication.mysql.servers import MySQLServer, ReplicaSet
from tests.web.browser import Browser

pytestmark = pytest.mark.mysql


@pytest.fixture
def remembering(servers: ReplicaSet) -> Iterator[ReplicaSet]:
    """Servers that keep more of their last statements than ten of each connection."""
    switch = "UPDATE performance_schema.setup_consumers SET ENABLED = %s WHERE NAME = 'events_statements_history_long'"
    for server in servers.servers:
        server.query(switch, "YES")
    yield servers
    for server in servers.servers:
        server.query(switch, "NO")


@pytest.mark.parametrize("replicas", [True, False], ids=["replicated", "single"])
def test_the_statements_of_a_request_name_it(
    make_app: Callable[..., Flask], remembering: ReplicaSet, *, replicas: bool
) -> None:
    app = make_app() if replicas else make_app(replica_urls=())
    browser, code = Browser(app).logged_in("olga"), f"P-{uuid4().hex[:8]}"
    browser.get("/products/new")
    registered = browser.post(
        "/products/new", code=code, name="Lámpara", quantity="5", minimum="0", operation=uuid4().hex
    )
    page = browser.get(f"/products/{code}")

    assert (registered.status_code, page.status_code) == (303, 200)
    read = [statement for server in remembering.servers for statement in named_by(server, page)]
    assert any(statement.startswith("SELECT") and "FROM inventory_product" in statement for statement in read)
    assert any(
        statement.startswith("INSERT INTO inventory_movement") for statement in named_by(remembering.source, registered)
    )


def named_by(server: MySQLServer, answer: TestResponse) -> list[str]:
    """The last statements on the server that name the request of an answer, without its name."""
    name = f"/* request={answer.headers['X-Request-ID']} */ "
    rows = server.query(
        "SELECT SQL_TEXT FROM performance_schema.events_statements_history_long WHERE LEFT(SQL_TEXT, %s) = %s",
        len(name),
        name,
    )
    return [text.removeprefix(name) for (text,) in rows]
