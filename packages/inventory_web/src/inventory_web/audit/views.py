"""The page of the audit log, and its download."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from types import NoneType

from flask import Blueprint, render_template, request, send_file
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col
from werkzeug.wrappers import Response

from inventory_core import (
    MAX_KEY_LENGTH,
    Cursor,
    FileColumn,
    Inventory,
    code_key,
    forbid_row_changes,
    normalize_line,
    permit_row_changes,
    write_csv,
)
from inventory_web.audit.log import Author, Event, add_event, current_author, current_filter, log_event
from inventory_web.context import current_inventory
from inventory_web.db.models import AuditEvent
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.http.urls import read_cursor
from inventory_web.i18n.labels import device_label, format_number, role_text
from inventory_web.i18n.languages import day_start
from inventory_web.roles import Role, requires
from inventory_web.settings import Settings

PAGE_SIZE = 50
BATCH_SIZE = 1000


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Filter for events: of or about a user, of one kind, from ``since`` on and before ``until``."""

    person: str = ""
    event: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event in lists."""

    id: int
    at: datetime
    event: str
    actor: str
    subject: str
    address: str
    request_id: str
    details: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of events, newest first; pass ``next`` as ``after`` for the next page. None at the end."""

    rows: tuple[EventRow, ...]
    next: Cursor | None


def events_page(
    inventory: Inventory, wanted: EventFilter, *, after: Cursor | None = None, size: int = PAGE_SIZE
) -> EventPage:
    """Return the events of a filter that follow ``after``. Raises ``InvalidInput`` for a cursor of another list."""
    if after is not None:
        after.require(NoneType, int)
    with inventory.sessions.reader() as session:
        rows = _batch(session, wanted, after, size + 1)
    further = len(rows) > size
    return EventPage(rows[:size], Cursor(None, rows[size - 1].id) if further else None)


def iter_events(inventory: Inventory, wanted: EventFilter) -> Iterator[EventRow]:
    """Yield all events of a filter, newest first, in constant memory."""
    after = None
    with inventory.sessions.reader() as session:
        while rows := _batch(session, wanted, after, BATCH_SIZE):
            yield from rows
            after = Cursor(None, rows[-1].id)


def prune_events(inventory: Inventory, before: datetime, *, by: Author) -> int:
    """Delete the events from before a time, in batches of a thousand; return how many. Pruning is an event, too.

    The account of the database must be allowed to drop and create triggers. Serving instances use an account that is not.
    Raises ``StorageRefused`` otherwise.
    """

    def work(session: Session) -> int:
        old = (
            select(col(AuditEvent.id)).where(col(AuditEvent.at) < before).order_by(col(AuditEvent.id)).limit(BATCH_SIZE)
        )
        numbers = session.scalars(old).all()
        if numbers:
            permit_row_changes(session.connection(), AuditEvent.__tablename__)
            try:
                session.execute(delete(AuditEvent).where(col(AuditEvent.id).in_(numbers)))
            finally:
                forbid_row_changes(session.connection(), AuditEvent.__tablename__)
        return len(numbers)

    total = 0
    while deleted := inventory.sessions.write(work):
        total += deleted
    text = before.isoformat(timespec="seconds")
    inventory.sessions.write(
        lambda session: add_event(session, inventory.clock(), Event.AUDIT_PRUNED, by=by, before=text, rows=total)
    )
    return total


def event_kinds(inventory: Inventory) -> tuple[str, ...]:
    """Return the kinds of recorded events, including those of plugins."""
    with inventory.sessions.reader() as session:
        return tuple(session.scalars(select(func.distinct(col(AuditEvent.event))).order_by(col(AuditEvent.event))))


def _batch(session: Session, wanted: EventFilter, after: Cursor | None, size: int) -> tuple[EventRow, ...]:
    query = _filtered(select(AuditEvent), wanted).order_by(col(AuditEvent.id).desc()).limit(size)
    if after is not None:
        query = query.where(col(AuditEvent.id) < after.id)
    return tuple(
        EventRow(
            row.id or 0,
            row.at,
            row.event,
            row.actor,
            row.subject,
            row.address,
            row.request_id,
            json.loads(row.details),
        )
        for row in session.scalars(query)
    )


def _filtered(query: Select[AuditEvent], wanted: EventFilter) -> Select[AuditEvent]:
    if wanted.person:
        key = code_key(normalize_line(wanted.person))[:MAX_KEY_LENGTH]
        query = query.where(or_(col(AuditEvent.actor_key) == key, col(AuditEvent.subject_key) == key))
    if wanted.event:
        query = query.where(col(AuditEvent.event) == wanted.event)
    if wanted.since is not None:
        query = query.where(col(AuditEvent.at) >= wanted.since)
    if wanted.until is not None:
        query = query.where(col(AuditEvent.at) < wanted.until)
    return query


ROLES = {role.word: role for role in Role}
EVENT_LABELS: dict[str, LazyString] = {
    Event.LOGIN: lazy_gettext("Entrada en la sesión"),
    Event.LOGIN_FAILED: lazy_gettext("Entrada fallida"),
    Event.LOGIN_THROTTLED: lazy_gettext("Demasiados intentos"),
    Event.LOGOUT: lazy_gettext("Salida de la sesión"),
    Event.SESSION_ENDED: lazy_gettext("Sesión terminada por una persona"),
    Event.SECOND_FACTOR_ON: lazy_gettext("Verificación en dos pasos activada"),
    Event.SECOND_FACTOR_OFF: lazy_gettext("Verificación en dos pasos desactivada"),
    Event.SECOND_FACTOR_RESET: lazy_gettext("Verificación en dos pasos quitada por un administrador"),
    Event.RECOVERY_CODE_USED: lazy_gettext("Código de recuperación usado"),
    Event.RECOVERY_CODES_MADE: lazy_gettext("Códigos de recuperación nuevos"),
    Event.PASSWORD_CHANGED: lazy_gettext("Contraseña cambiada"),
    Event.PASSWORD_RESET: lazy_gettext("Contraseña puesta por un administrador"),
    Event.ACCOUNT_ADDED: lazy_gettext("Usuario creado"),
    Event.ROLE_CHANGED: lazy_gettext("Rol cambiado"),
    Event.ACCOUNT_DISABLED: lazy_gettext("Usuario desactivado"),
    Event.ACCOUNT_ENABLED: lazy_gettext("Usuario activado"),
    Event.ROLE_REFUSED: lazy_gettext("Rechazado por falta de rol"),
    Event.ACCOUNT_CHANGE_REFUSED: lazy_gettext("Cambio de usuario rechazado"),
    Event.SECOND_FACTOR_OFF_REFUSED: lazy_gettext(
        "Verificación en dos pasos no desactivada: contraseña o código incorrectos"
    ),
    Event.ACCESS_REFUSED: lazy_gettext("Acceso rechazado"),
    Event.CSRF_FAILED: lazy_gettext("Formulario de otra sesión o de otra página rechazado"),
    Event.METRICS_DENIED: lazy_gettext("Lectura de métricas rechazada"),
    Event.EXPORTED: lazy_gettext("Exportación"),
    Event.IMPORTED: lazy_gettext("Importación"),
    Event.IMPORT_UNDONE: lazy_gettext("Importación deshecha"),
    Event.PRODUCT_RETIRED: lazy_gettext("Producto eliminado"),
    Event.PRODUCT_RESTORED: lazy_gettext("Producto restaurado"),
    Event.AUDIT_PRUNED: lazy_gettext("Auditoría recortada"),
}
DETAIL_LABELS = {
    "role": lazy_gettext("Rol"),
    "before": lazy_gettext("Antes"),
    "after": lazy_gettext("Después"),
    "agent": lazy_gettext("Dispositivo"),
    "sessions": lazy_gettext("Sesiones"),
    "left": lazy_gettext("Quedan"),
    "page": lazy_gettext("Página"),
    "rows": lazy_gettext("Filas"),
    "format": lazy_gettext("Formato"),
    "filter": lazy_gettext("Filtro"),
    "step": lazy_gettext("Paso"),
    "import_id": lazy_gettext("Importación"),
    "reason": lazy_gettext("Motivo"),
    "attempts": lazy_gettext("Intentos"),
    "products": lazy_gettext("Productos"),
    "skipped": lazy_gettext("No anotados antes"),
}


def event_label(event: str) -> str:
    """Return the label of an event; its name if it comes from a plugin."""
    return str(EVENT_LABELS.get(event, event))


def detail_lines(details: Mapping[str, str | int]) -> Iterator[tuple[str, str]]:
    """Yield label and value of each detail."""
    for name, value in details.items():
        yield str(DETAIL_LABELS.get(name, name)), _value(name, value)


def _value(name: str, value: str | int) -> str:
    if isinstance(value, int):
        return format_number(value)
    if name == "agent":
        return device_label(value)
    if name in ("role", "before", "after") and value in ROLES:
        return role_text(ROLES[value])
    return gettext("código") if (name, value) == ("step", "code") else value


LONGEST_PERSON = 80


def add_routes(blueprint: Blueprint) -> None:
    """Add ``GET /audit`` and ``GET /audit.csv``."""
    blueprint.add_url_rule("/audit", view_func=events)
    blueprint.add_url_rule("/audit.csv", view_func=table)
    blueprint.add_app_template_global(event_label)
    blueprint.add_app_template_global(detail_lines)


@requires(Role.ADMIN)
def events() -> str:
    """Show the events of the filter in the URL, newest first."""
    page = events_page(current_inventory(), _wanted(), after=read_cursor(request.args))
    kinds = sorted({*Event, *event_kinds(current_inventory())}, key=event_label)
    return render_template("audit/events.html", page=page, kinds=kinds, fields=_filter_fields())


@requires(Role.ADMIN)
def table() -> Response:
    """Return the same events as CSV, with UTC times and every detail; the download is an event, too."""
    stock, author = current_inventory(), current_author()
    columns: tuple[FileColumn[EventRow], ...] = (
        FileColumn("at", lambda row: row.at),
        FileColumn("event", lambda row: row.event),
        FileColumn("actor", lambda row: row.actor),
        FileColumn("subject", lambda row: row.subject),
        FileColumn("address", lambda row: row.address),
        FileColumn("request_id", lambda row: row.request_id),
        FileColumn("details", lambda row: json.dumps(row.details, ensure_ascii=False)),
    )
    with ExitStack() as until_sent:
        target = until_sent.enter_context(TemporaryFile())
        rows = write_csv(target, columns, iter_events(stock, _wanted()))
        target.seek(0)
        word = gettext("auditoria")
        name = f"{word}-{stock.clock():%Y-%m-%d}.csv"
        log_event(
            stock,
            Event.EXPORTED,
            by=author,
            subject=name,
            rows=rows,
            filter=current_filter(),
        )
        response = send_file(target, "text/csv", as_attachment=True, download_name=name)
        # The server closes the file after sending it.
        until_sent.pop_all()
        return response


def _filter_fields() -> dict[str, str]:
    """Return the typed content of the filter's fields."""
    return {name: request.args.get(name, "").strip()[:LONGEST_PERSON] for name in ("person", "event", "since", "until")}


def _wanted() -> EventFilter:
    fields = _filter_fields()
    return EventFilter(
        fields["person"], fields["event"], day_start(fields, "since"), day_start(fields, "until", further=1)
    )


class AuditPlugin:
    """The page of events and its CSV file. ``inventory_web.audit.log`` records the events."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        blueprint = Blueprint("audit", __name__, template_folder="templates")
        add_routes(blueprint)
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        entry = MenuEntry(
            lazy_gettext("Auditoría"), "audit.events", "shield-lock", order=95, role=Role.ADMIN, more=True
        )
        return [entry]
