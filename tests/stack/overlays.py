"""Compose overlays with which tests provoke faults."""

from pathlib import Path

from tests.stack.system import COMPOSE_FILE, System

SERVER_ID_OF_THE_SOURCE = """
services:
  db-replica:
    command:
      - mysqld
      - --server-id=1
      - --report-host=db-replica
      - --ssl-cert=/var/lib/mysql-certificates/db-replica.pem
      - --ssl-key=/var/lib/mysql-certificates/db-replica.pem
      - --admin-ssl-cert=/var/lib/mysql-certificates/db-replica.pem
      - --admin-ssl-key=/var/lib/mysql-certificates/db-replica.pem
"""
SMALL_DISKS = """
services:
  db:
    volumes: !override ["mysql-certificates:/var/lib/mysql-certificates:ro"]
    tmpfs: ["/var/lib/mysql:uid=999,gid=999,mode=0750,size=420m"]
  web1:
    tmpfs: !override ["/tmp:size=3m,mode=1777"]
    ports: ["127.0.0.1::8000"]
"""


def overlaid(folder: Path, text: str) -> dict[str, str]:
    """Settings with which Compose reads the shipped file and this one over it; for ``System.compose(changed=…)``."""
    file = folder / "overlay.yml"
    file.write_text(text, "utf-8")
    return {"COMPOSE_FILE": f"{COMPOSE_FILE}:{file}"}


def version_in_volume(system: System, service: str, found: str, written: str) -> None:
    """Let the dictionary of a stopped server say that another version of MySQL wrote it."""
    program = f"""
from pathlib import Path
file = Path("/data/mysql.ibd")
content = file.read_bytes()
for name in (b"MYSQLD_VERSION=", b"MYSQLD_VERSION_HI=", b"MYSQLD_VERSION_LO="):
    assert name + b"{found}" in content
    content = content.replace(name + b"{found}", name + b"{written}")
file.write_bytes(content)
"""
    volume = f"{system.project}_{service}-data:/data"
    run = ("docker", "run", "--rm", "--network", "none", "--volume", volume, "--user", "999")
    system.run(*run, system.image, "python", "-c", program)
    system.run(*run, "mysql:9.7", "innochecksum", "--no-check", "--write=crc32", "/data/mysql.ibd")
