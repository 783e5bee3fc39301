"""From the exceptions of the driver and of SQLAlchemy to what they mean."""

import ssl

from pymysql.err import Error
from sqlalchemy.exc import DBAPIError

from inventory_replication.decisions.error_numbers import Meaning, meaning_of


def meaning_of_fault(fault: BaseException) -> Meaning | None:
    """What an error says about server, connection or transaction; ``None``: it is none of the driver's.

    Takes what PyMySQL raises, also inside an error of SQLAlchemy. A certificate that is not trusted comes from PyMySQL as a
    server that cannot be reached; here it is `Meaning.TLS`, because the server lives.
    """
    if isinstance(fault, DBAPIError) and fault.orig is not None:
        fault = fault.orig
    if not isinstance(fault, Error):
        return None
    if isinstance(getattr(fault, "original_exception", None), ssl.SSLError):
        return Meaning.TLS
    number = fault.args[0] if fault.args and isinstance(fault.args[0], int) else 0
    text = str(fault.args[1]) if len(fault.args) > 1 else ""
    return meaning_of(number, text)
