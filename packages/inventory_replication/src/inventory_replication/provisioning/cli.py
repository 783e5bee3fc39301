"""The command ``inventory-replication``: shows and provisions a source and its replicas, and changes the source."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from inventory_replication.errors import ConfigurationError, ReplicationError

if TYPE_CHECKING:
    from inventory_replication.provisioning.commands import CommandResult
    from inventory_replication.provisioning.settings import Settings

PROGRAM = "inventory-replication"
DONE, NO, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done or healthy, 1 failed or unhealthy, 2 wrong usage or settings."""
    options = build_parser().parse_args(arguments)
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        code = _run(options)
    except ConfigurationError as error:
        code = _fail(options, error, USAGE)
    except ReplicationError as error:
        code = _fail(options, error, NO)
    except KeyboardInterrupt:
        interrupted = ReplicationError("Interrupted. Run the same command again to continue.")
        code = DONE if options.command == "guard" else _fail(options, interrupted, NO)
    except Exception as error:  # noqa: BLE001 - the outermost boundary: one line, never a traceback
        code = _fail(options, ReplicationError(f"Unexpected {type(error).__name__}: {error}. Please report it."), NO)
    finally:
        signal.signal(signal.SIGTERM, before)
    sys.exit(code)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with all subcommands and options."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Set up and operate a MySQL source and its replicas.")
    parser.add_argument("--version", action="version", version=version("inventory-replication"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    status = _add(commands, "status", "show the source and the positions of the replicas")
    status.add_argument("--watch", type=_seconds, default=2.0, help="maximum seconds to watch (2)")
    verify = _add(commands, "verify", "report every deviation; change nothing")
    verify.add_argument(
        "--skip-rows", action="store_true", help="do not compare the rows of the replicas with those of the source"
    )
    provision = _add(commands, "provision", "set up or repair a source and its replicas")
    provision.add_argument("--dry-run", action="store_true", help="show the plan without applying it")
    provision.add_argument(
        "--rebuild",
        action="append",
        default=[],
        metavar="NAME",
        help="discard this replica's content and copy it again",
    )
    provision.add_argument(
        "--allow-degraded",
        action="store_true",
        help="skip unhealthy replicas with a warning if the source is unambiguous",
    )
    certificates = _add(commands, "certificates", "issue certificates for the servers; keep valid ones")
    certificates.add_argument(
        "--authority", type=Path, required=True, metavar="FOLDER", help="certificate and private key of the authority"
    )
    certificates.add_argument(
        "--into", type=Path, required=True, metavar="FOLDER", help="ca.pem for clients, and NAME.pem for each server"
    )
    guard = _add(commands, "guard", "reopen the recorded source after each restart; keep all other servers read-only")
    guard.add_argument("--interval", type=_seconds, default=1.0, help="seconds between two checks (1)")
    guard.add_argument("--once", action="store_true", help="check once; exit 0 if the source accepts writes")
    switchover = _add(commands, "switchover", "make a replica the source, and the source a replica")
    switchover.add_argument("target", metavar="NAME", help="the replica")
    switchover.add_argument(
        "--timeout",
        type=_seconds,
        default=10.0,
        help="maximum seconds to catch up, before and during the pause of writes (10)",
    )
    failover = _add(commands, "failover", "make a replica the source in place of a lost one")
    failover.add_argument("target", metavar="NAME", help="the replica")
    failover.add_argument(
        "--lost",
        action="append",
        required=True,
        metavar="NAME",
        help="a lost server; repeat for each one that is away",
    )
    return parser


def _add(commands: Any, name: str, purpose: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=purpose, description=f"{name}: {purpose}.")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML")
    parser.add_argument("--server", action="append", metavar="NAME=HOST:PORT", help="a server; repeat for each")
    parser.add_argument(
        "--peer-address",
        action="append",
        metavar="NAME=HOST:PORT",
        help="address for the other servers, if different; repeat for each",
    )
    for option, text in {
        "--database": "schema of the application",
        "--source": "the source, if it is ambiguous",
        "--tls": "required or off",
        "--ca-file": "CA certificates (PEM) of the servers",
        "--verify-host": "yes or no",
        "--source-ca": "the path of that file on the replicas",
        "--source-verify-host": "yes or no",
        "--wait": "seconds to wait for servers and replicas",
    }.items():
        parser.add_argument(option, help=text)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    return parser


def _run(options: argparse.Namespace) -> int:
    from inventory_replication.provisioning.settings import SETTINGS, read_settings

    chosen = {name: value for name, value in vars(options).items() if name in SETTINGS and value is not None}
    for name, repeated in (("servers", options.server), ("peer_addresses", options.peer_address)):
        if repeated:
            chosen[name] = ",".join(repeated)
    answer = _answer(options, read_settings(chosen, os.environ, options.config or _file_of_environment()))
    if options.json:
        print(json.dumps(answer.data))
    else:
        for line in answer.lines:
            print(line)
    return DONE if answer.good else NO


def _answer(options: argparse.Namespace, settings: "Settings") -> "CommandResult":
    from inventory_replication.provisioning import commands

    notify = _print_line if not options.json else _ignore_line
    match options.command:
        case "status":
            answer = commands.status(settings, watch=options.watch)
        case "verify":
            answer = commands.verify(settings, rows=not options.skip_rows)
        case "certificates":
            answer = commands.certificates(settings, authority=options.authority, folder=options.into)
        case "provision":
            rebuild = frozenset(options.rebuild)
            how = {"dry_run": options.dry_run, "allow_degraded": options.allow_degraded}
            answer = commands.provision(settings, rebuild=rebuild, notify=notify, **how)
        case "guard":
            answer = commands.guard(settings, interval=options.interval, once=options.once, notify=_print_line)
        case "failover":
            answer = commands.failover(settings, options.target, lost=frozenset(options.lost), notify=notify)
        case _:
            answer = commands.switchover(settings, options.target, timeout=options.timeout, notify=notify)
    return answer


def _file_of_environment() -> Path | None:
    name = os.environ.get("INVENTORY_REPLICATION_CONFIG")
    return Path(name) if name else None


def _fail(options: argparse.Namespace, error: ReplicationError, code: int) -> int:
    """Report an error: one line per finding, and JSON on standard output if requested."""
    from inventory_replication.provisioning.plan.findings import ChecksFailed

    findings = error.findings if isinstance(error, ChecksFailed) else ()
    if options.json:
        shown: dict[str, Any] = {"ok": False, "code": error.code, "error": error.message}
        if findings:
            shown["findings"] = [finding.as_json() for finding in findings]
        print(json.dumps(shown))
    for line in map(str, findings) if findings else [error.message]:
        print(f"{PROGRAM}: {error.code}: {line}", file=sys.stderr)
    return code


def _print_line(line: str) -> None:
    print(line, flush=True)


def _ignore_line(line: str) -> None:
    """Print nothing: with ``--json`` the steps are part of the result."""


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError("seconds, from 0 to 86400")
    return seconds


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
