"""What the driver raised is told apart by its meaning, also inside SQLAlchemy's errors."""

import ssl

import pytest
from pymysql.err import Error, InterfaceError, OperationalError
from sqlalchemy.exc import DBAPIError

from inventory_replication.config import Credentials, Server
from inventory_replication.decisions.error_kinds import Meaning
from inventory_replication.mysql.diagnostics import explain, meaning_of_fault

SERVER = Server("db1", "10.0.0.1")
ACCOUNT = Credentials("monitor", "secret-of-the-monitor")


def untrusted() -> OperationalError:
    error = OperationalError(2003, "Can't connect")
    vars(error)["original_exception"] = ssl.SSLCertVerificationError(1, "certificate verify failed")
    return error


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        (OperationalError(2003, "Can't connect to MySQL server"), Meaning.UNREACHABLE),
        (OperationalError(2013, "Lost connection (closed)"), Meaning.LOST),
        (OperationalError(2013, "Lost connection (timed out)"), Meaning.TIMED_OUT),
        (InterfaceError(0, ""), Meaning.LOST),
        (Error("Already closed"), Meaning.LOST),
        (untrusted(), Meaning.TLS),
        (OperationalError(1290, "running with the --read-only option"), Meaning.READ_ONLY),
        (OperationalError(1290, "running with the --super-read-only option"), Meaning.READ_ONLY),
        (OperationalError(1290, "running with the --secure-file-priv option"), Meaning.STATEMENT),
        (OperationalError(1213, "Deadlock found"), Meaning.CONFLICT),
        (ValueError("not of the driver"), None),
    ],
)
def test_a_fault_means_the_same_bare_and_wrapped(fault: Exception, meaning: Meaning | None) -> None:
    assert meaning_of_fault(fault) is meaning
    if meaning is not None:
        wrapped = DBAPIError.instance("SELECT 1", {}, fault, Error)
        assert meaning_of_fault(wrapped) is meaning


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
    told = explain(fault, SERVER, ACCOUNT)

    assert told.alive is alive
    assert told.why.startswith("db1 (10.0.0.1:3306) ")
    assert words in told.why
    assert ACCOUNT.password not in told.why
    assert "\n" not in told.why
