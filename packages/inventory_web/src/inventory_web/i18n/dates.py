"""Dates from filter fields, converted to times."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from inventory_core import Fault, InvalidInput
from inventory_web.context import current_settings


def day_start(fields: Mapping[str, str], field: str, *, further: int = 0) -> datetime | None:
    """Return the start of the day in a field, such as 2026-11-24, plus ``further`` days, in the time zone of the pages.

    Returns None for an empty field and outside the calendar's range. Raises ``InvalidInput`` for an invalid date, so that users
    do not mistake an unfiltered list for a filtered one.
    """
    text = fields[field]
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=further)
        return datetime.combine(day, time.min, ZoneInfo(current_settings().timezone)).astimezone(UTC)
    except ValueError:
        raise InvalidInput(Fault(field, "not_a_day", text)) from None
    except OverflowError:
        return None
