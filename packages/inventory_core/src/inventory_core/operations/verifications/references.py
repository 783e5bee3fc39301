"""Every reference leads somewhere, and one location is the default."""

from collections.abc import Iterator

from sqlalchemy import ForeignKeyConstraint, and_, func, select
from sqlalchemy.orm import Session

from inventory_core.models import LOCATION, metadata
from inventory_core.operations.verifications.fault import VerificationFault


def faults(session: Session) -> Iterator[VerificationFault]:
    """Rows that refer to a row that is not there, whatever the database was told to overlook."""
    for table in metadata.sorted_tables:
        for constraint in sorted(table.foreign_key_constraints, key=lambda key: str(key.name)):
            yield from _orphans(session, constraint)
    defaults = session.scalar(select(func.count()).where(LOCATION.c.is_default.is_(True))) or 0
    if defaults != 1:
        yield VerificationFault("one location is the default", "locations", "1", str(defaults))


def _orphans(session: Session, constraint: ForeignKeyConstraint) -> Iterator[VerificationFault]:
    table, target = constraint.table, constraint.referred_table.alias("target")
    pairs = [(element.parent, target.c[element.column.name]) for element in constraint.elements]
    statement = (
        select(*table.primary_key, *(column for column, _ in pairs))
        .select_from(table.outerjoin(target, and_(*(column == wanted for column, wanted in pairs))))
        .where(pairs[0][1].is_(None), *(column.is_not(None) for column, _ in pairs))
    )
    width = len(list(table.primary_key))
    for record in session.execute(statement, execution_options={"yield_per": 1000}):
        key, wanted = record[:width], record[width:]
        yield VerificationFault(
            "references lead somewhere",
            f"{table.name} {', '.join(map(str, key))}",
            f"{constraint.referred_table.name} {', '.join(map(str, wanted))}",
            "nothing",
        )
