"""Driver errors are classified by their meaning, also inside SQLAlchemy's errors."""

import ssl

import pytest
from pymysql.err import Error, InterfaceError, OperationalError
from sqlalchemy.exc import DBAPIError

from inventory_replication.config import Credentials, Server
from inventory_replication.decisions.error_kinds import ErrorKind
from inventory_replication.mysql.diagnostics import classify_exception, explain

SERVER = Server("db1", "10.0.0.1")
ACCOUNT = Credentials("monitor", "secret-of-the-monitor")


def untrusted() -> OperationalError:
    error = OperationalError(2003, "Can't connect")
    vars(error)["original_exception"] = ssl.SSLCertVerificationError(1, "certificate verify failed")
    return error


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (OperationalError(2003, "Can't connect to MySQL server"), ErrorKind.UNREACHABLE),
        (OperationalError(2013, "Lost connection (closed)"), ErrorKind.LOST),
        (OperationalError(2013, "Lost connection (timed out)"), ErrorKind.TIMED_OUT),
        (InterfaceError(0, ""), ErrorKind.LOST),
        (Error("Already closed"), ErrorKind.LOST),
        (untrusted(), ErrorKind.TLS),
        (OperationalError(1290, "running with the --read-only option"), ErrorKind.READ_ONLY),
        (OperationalError(1290, "running with the --super-read-only option"), ErrorKind.READ_ONLY),
        (OperationalError(1290, "running with the --secure-file-priv option"), ErrorKind.STATEMENT),
        (OperationalError(1213, "Deadlock found"), ErrorKind.CONFLICT),
        (ValueError("not of the driver"), None),
    ],
)
def test_a_fault_means_the_same_bare_and_wrapped(fault: Exception, kind: ErrorKind | None) -> None:
    assert classify_exception(fault) is kind
    if kind is not None:
        wrapped = DBAPIError.instance("SELECT 1", {}, fault, Error)
        assert classify_exception(wrapped) is kind


@pytest.mark.parametrize(
    ("fault", "alive", "words"),
    [
        (OperationalError(1045, "Access denied"), True, "check its name, its password"),
        (untrusted(), True, "certificate that is not trusted"),
        (OperationalError(2013, "Lost connection"), False, "did not answer"),
        (ValueError("an empty answer"), False, "an empty answer"),
        (OperationalError(), False, "did not answer"),
    ],
)
def test_a_refusal_is_one_line_that_names_the_server_and_keeps_the_secret(
    fault: Exception, alive: bool, words: str
) -> None:
    reported = explain(fault, SERVER, ACCOUNT)

    assert reported.alive is alive
    assert reported.why.startswith("db1 (10.0.0.1:3306) ")
    assert words in reported.why
    assert ACCOUNT.password not in reported.why
    assert "\n" not in reported.why
