"""One of several processes over the same servers: it writes and reads rows on request, one JSON line for another."""

import json
import socketserver
import sys
import threading
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory_replication import ReplicatedCluster
from tests.replication.faults.settings import read_settings
from tests.replication.runtime.clusters import notes, put


class Peer(socketserver.ThreadingTCPServer):
    """Serves each connection in a thread of its own."""

    daemon_threads = True

    def __init__(self, cluster: ReplicatedCluster[Session], table: str) -> None:
        super().__init__(("127.0.0.1", 0), Lines)
        self.cluster = cluster
        self.table = table

    def answer(self, requested: dict[str, Any]) -> dict[str, Any]:
        with self.cluster.causal(requested.get("token")) as context:
            if "write" in requested:
                self.cluster.write(put(self.table, requested["write"]))
                return {"token": context.token}
            column = notes(self.table).c.id
            with self.cluster.reader() as session:
                found = session.scalar(select(func.count()).where(column == requested["read"]))
        (served,) = context.served
        return {"seen": found == 1, "role": served.role, "reason": served.reason}


class Lines(socketserver.StreamRequestHandler):
    """One connection."""

    server: Peer
    disable_nagle_algorithm = True

    def handle(self) -> None:
        for line in self.rfile:
            try:
                answer = self.server.answer(json.loads(line))
            except Exception as fault:  # noqa: BLE001 - whoever asked reports it
                answer = {"fault": repr(fault)}
            self.wfile.write(json.dumps(answer).encode() + b"\n")


def main() -> None:
    """Say the port, and serve until the standard input ends."""
    settings, table = read_settings(sys.argv[1]), sys.argv[2]
    with ReplicatedCluster(settings) as cluster, Peer(cluster, table) as peer:
        cluster.status()
        serving = threading.Thread(target=peer.serve_forever)
        serving.start()
        sys.stdout.write(f"{peer.server_address[1]}\n")
        sys.stdout.flush()
        sys.stdin.read()
        peer.shutdown()
        serving.join()


if __name__ == "__main__":
    main()
