"""Days that people typed into a filter, as moments."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from inventory_core import Fault, InvalidInput
from inventory_web.context import current_settings


def day_start(asked: Mapping[str, str], field: str, *, further: int = 0) -> datetime | None:
    """The beginning of the day of a field, such as 2026-11-24, or of one so many days later, where the pages' times are.

    None for an empty field, and for the ends of the calendar. Raises ``InvalidInput`` for what is no day, since everything
    would then be shown as if it were of that time.
    """
    text = asked[field]
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=further)
        return datetime.combine(day, time.min, ZoneInfo(current_settings().timezone)).astimezone(UTC)
    except ValueError:
        raise InvalidInput(Fault(field, "not_a_day", text)) from None
    except OverflowError:
        return None
