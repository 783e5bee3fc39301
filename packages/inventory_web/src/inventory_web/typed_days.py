"""Days that people typed into a filter, as moments."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from inventory_web.current import the_settings


def day_begin(text: str, *, further: int = 0) -> datetime | None:
    """The beginning of a day such as 2026-11-24, or of one so many days later, where the pages' times are.

    None for what is no day.
    """
    try:
        day = date.fromisoformat(text) + timedelta(days=further)
        return datetime.combine(day, time.min, ZoneInfo(the_settings().timezone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
