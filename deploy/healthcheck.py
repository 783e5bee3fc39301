"""Exit with 0 if the instance in this container can serve reads; plain sockets, because it runs every few seconds."""

import socket
import sys

with socket.create_connection(("127.0.0.1", 8000), timeout=3) as connection:
    connection.sendall(b"GET /health/ready HTTP/1.0\r\nHost: health\r\n\r\n")
    status = connection.recv(64).split(b"\r\n")[0]
sys.exit(0 if b" 200 " in status else f"answered {status.decode('ascii', 'replace')!r}")
