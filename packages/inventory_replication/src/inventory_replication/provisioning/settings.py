"""Settings of the command: from options, environment and a TOML file, in this order, to checked values."""

import json
import os
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from inventory_replication.config import MAX_PORT, MYSQL_PORT, Credentials, Server
from inventory_replication.decisions.snapshot import SourceRecord
from inventory_replication.errors import ConfigurationError
from inventory_replication.mysql.tls import client_tls
from inventory_replication.provisioning.plan.desired_state import Account, DesiredState, Role


class RecordFile:
    """The file in which the command remembers the source, even while the servers that changed it are away.

    One JSON object; an older epoch never replaces a newer one. Write it while the servers are locked.

    Args:
        path: Its path; the folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> SourceRecord | None:
        """Return the remembered record; ``None``: nothing yet.

        Raises:
            ConfigurationError: It cannot be read.
        """
        try:
            content = json.loads(self._path.read_text("utf-8"))
            return SourceRecord(int(content["epoch"]), str(content["server_uuid"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as fault:
            cure = "remove it if no server was made the source without it, and run `inventory-replication provision`"
            raise ConfigurationError(f"record_file is {self._path}, which cannot be read ({fault}): {cure}.") from fault

    def write(self, record: SourceRecord) -> None:
        """Remember a record unless a newer one is there; it is on disk when this returns.

        Raises:
            ConfigurationError: It cannot be read or written.
        """
        known = self.read()
        if known and known.epoch >= record.epoch:
            return
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            with new.open("w", encoding="utf-8") as file:
                json.dump(asdict(record), file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as fault:
            raise ConfigurationError(f"record_file is {self._path}, which cannot be written: {fault}.") from fault


PREFIX: Final = "INVENTORY_REPLICATION_"

SETTINGS: Final[Mapping[str, tuple[str, str]]] = {
    "servers": ("", "All servers, `name=host:port`, separated by commas; the first becomes the source of new ones."),
    "peer_addresses": (
        "",
        "`name=host:port` of each server that the others reach at another address than this command.",
    ),
    "database": ("inventory", "Schema of the application."),
    "source": ("", "Name of the source, if it is ambiguous."),
    "tls": ("required", "`required`, or `off` for servers without certificates."),
    "ca_file": ("", "CA certificates (PEM) of the servers; empty: encrypted, but no server is verified."),
    "verify_host": ("no", "`yes`: the certificate must also hold the host's name."),
    "source_ca": ("", "Path of that file on the replicas, which verify the source's certificate with it."),
    "source_verify_host": (
        "no",
        "`yes`: replicas also compare the source's certificate with the host at which they reach it.",
    ),
    "record_file": (
        "",
        "File in which the command remembers the source, so that `guard` can open it while others are away.",
    ),
    "wait": ("30", "Seconds for servers to start, and for replicas to connect and to catch up."),
    "admin_user": ("root", "Account that changes servers, the same on all."),
    "admin_password": ("", "Its password."),
    "app_user": ("app", "Account of the application."),
    "app_password": ("", "Its password; empty: the account is not managed."),
    "updatable_tables": (
        "",
        "Tables whose rows the application may change and delete, comma-separated; in others it only adds. Empty: in all.",
    ),
    "migrator_user": ("migrator", "Account that changes tables."),
    "migrator_password": ("", "Its password; empty: the account is not managed."),
    "monitor_user": ("monitor", "Account of the monitor, and of `status`."),
    "monitor_password": ("", "Its password; empty: not managed, and `status` uses the administrative account."),
    "replication_user": ("replication", "Account by which replicas log in on their source."),
    "replication_password": ("", "Its password."),
}
"""Default and meaning of each setting. Environment variable: `PREFIX` and the name in capitals; key in a file: the name."""

SECRETS: Final = frozenset(name for name in SETTINGS if name.endswith("_password"))
"""These can also be the path of a file, under their name plus ``_file``; in a TOML file that is the only way."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked values.

    Args:
        values: Every setting by name, as text.
        servers: All servers.
        tls: Context for connections; ``None``: without encryption.
        wait: Seconds.
    """

    values: Mapping[str, str]
    servers: tuple[Server, ...]
    tls: ssl.SSLContext | None
    wait: float

    def account(self, role: str) -> Credentials | None:
        """Return the account of a role (``admin`` or a `Role`); ``None`` if its password is not given."""
        password = self.values[f"{role}_password"]
        return Credentials(self.values[f"{role}_user"], password) if password else None

    def required(self, role: str) -> Credentials:
        """Return the account of a role.

        Raises:
            ConfigurationError: Its password is not given.
        """
        account = self.account(role)
        if account is None:
            name = f"{PREFIX}{role.upper()}_PASSWORD"
            raise ConfigurationError(f"The password of the {role} account is missing: set {name}_FILE or {name}.")
        return account

    def memory(self) -> RecordFile | None:
        """Return the file that remembers the source; ``None``: none is configured."""
        return RecordFile(Path(self.values["record_file"])) if self.values["record_file"] else None

    def hosts(self) -> dict[str, tuple[str, ...]]:
        """Return the hosts at which this command and the other servers reach each server."""
        peers = {server.name: server.host for server in _servers(self.values["peer_addresses"])}
        return {each.name: tuple({each.host: None, peers.get(each.name, each.host): None}) for each in self.servers}

    def desired_state(self, rebuild: frozenset[str] = frozenset()) -> DesiredState:
        """Return the desired state.

        Raises:
            ConfigurationError: The replication account's password is missing, names contradict each other, or the file that
                remembers the source cannot be read.
        """
        self.required(Role.REPLICATION)
        accounts = tuple(Account(role, found) for role in Role if (found := self.account(role)))
        admin = self.required("admin")
        if any(account.user in {admin.user, "root"} for account in accounts):
            raise ConfigurationError(f"The account {admin.user} administers the servers; name another for each role.")
        peers = {server.name: (server.host, server.port) for server in _servers(self.values["peer_addresses"])}
        return DesiredState(
            servers=self.servers,
            database=self.values["database"],
            accounts=accounts,
            peers=peers,
            tls=self.tls is not None,
            source_ca=self.values["source_ca"],
            source_verify_host=self.values["source_verify_host"] == "yes",
            source=self.values["source"],
            rebuild=rebuild,
            updatable_tables=frozenset(filter(None, map(str.strip, self.values["updatable_tables"].split(",")))),
            remembered=memory.read() if (memory := self.memory()) else None,
        )


def read_settings(options: Mapping[str, str], environment: Mapping[str, str], file: Path | None) -> Settings:
    """Check all settings.

    Args:
        options: Given command-line options, by name.
        environment: Of the process.
        file: TOML file; ``None``: none.

    Raises:
        ConfigurationError: A value is wrong or a file cannot be read; the message names the setting, never a secret.
    """
    values = {name: default for name, (default, _) in SETTINGS.items()}
    values |= _from_file(file) if file else {}
    values |= _from_environment(environment)
    values |= options
    yes_no = ("yes", "no")
    for name, allowed in (("tls", ("required", "off")), ("verify_host", yes_no), ("source_verify_host", yes_no)):
        if values[name] not in allowed:
            raise ConfigurationError(f"{name} is {values[name]!r}; it must be {' or '.join(allowed)}.")
    return Settings(values, _servers(values["servers"]), _tls(values), _seconds(values["wait"]))


def _from_file(file: Path) -> dict[str, str]:
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise ConfigurationError(f"The file {file} cannot be read: {fault}.") from None
    values: dict[str, str] = {}
    for name, value in content.items():
        secret = name.removesuffix("_file")
        if name != secret and secret in SECRETS:
            values[secret] = _secret(name, file.parent / str(value))
        elif name in SECRETS:
            raise ConfigurationError(
                f"{file} holds {name}; write it to a separate file and set {name}_file to its path."
            )
        elif name in {"servers", "peer_addresses"} and isinstance(value, dict):
            values[name] = ",".join(f"{server}={address}" for server, address in value.items())
        elif name in SETTINGS:
            values[name] = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        else:
            raise ConfigurationError(
                f"{file} holds {name!r}, which is not a setting; the settings are {', '.join(SETTINGS)}."
            )
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name in SETTINGS:
        variable = PREFIX + name.upper()
        if name in SECRETS and environment.get(f"{variable}_FILE"):
            if environment.get(variable):
                raise ConfigurationError(f"{variable} and {variable}_FILE are both set; set one.")
            values[name] = _secret(f"{variable}_FILE", Path(environment[f"{variable}_FILE"]))
        elif environment.get(variable):
            values[name] = environment[variable]
    return values


def _secret(setting: str, file: Path) -> str:
    try:
        text = file.read_text("utf-8").strip("\r\n")
    except (OSError, ValueError) as fault:
        raise ConfigurationError(f"{setting}: {file} cannot be read ({type(fault).__name__}).") from None
    if not text:
        raise ConfigurationError(f"{setting}: {file} is empty; write the password into it.")
    return text


def _servers(text: str) -> tuple[Server, ...]:
    servers: list[Server] = []
    for part in filter(None, map(str.strip, text.split(","))):
        name, separator, address = part.partition("=")
        host, colon, port = (
            address.rpartition(":") if ":" in address and not address.endswith("]") else (address, "", "")
        )
        if not separator or not host or (colon and not (port.isdigit() and 0 < int(port) <= MAX_PORT)):
            raise ConfigurationError(f"{part!r} is not a server; use name=host:port.")
        servers.append(Server(name, host.strip("[]"), int(port) if colon else MYSQL_PORT))
    return tuple(servers)


def _tls(values: Mapping[str, str]) -> ssl.SSLContext | None:
    if values["tls"] == "off":
        return None
    ca_file, verify_host = values["ca_file"], values["verify_host"] == "yes"
    try:
        return client_tls(ca_file or None, verify_host=verify_host)
    except ValueError:
        raise ConfigurationError("verify_host needs ca_file: without one no certificate is verified at all.") from None
    except OSError as fault:
        raise ConfigurationError(f"ca_file is {ca_file}, which cannot be read: {fault.strerror or fault}.") from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise ConfigurationError(f"wait is {text!r}; it must be seconds, from 0 to 86400.")
    return seconds
