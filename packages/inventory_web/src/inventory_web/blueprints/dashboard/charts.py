"""The figures and charts of the dashboard, in the language of the user."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import format_date, get_locale, gettext, ngettext
from markupsafe import Markup

from inventory_core import CategoryStock, DayTotals, RunOutForecast, StockShortage
from inventory_web.blueprints.charts import Bar, Day, bars, days
from inventory_web.i18n.labels import format_number, movements_text

MOST_CATEGORIES = 9


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of the whole inventory."""

    products: int
    units: int
    low: int
    out_of_stock: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """A bar of the category chart: a category (None: without one), or the remaining ``others``."""

    category: str | None
    products: int
    units: int
    others: int = 0


def totals(stocks: Sequence[CategoryStock]) -> Totals:
    """Return the sum of the categories."""
    return Totals(
        sum(stock.products for stock in stocks),
        sum(stock.units for stock in stocks),
        sum(stock.low for stock in stocks),
        sum(stock.out_of_stock for stock in stocks),
    )


def shelves(stocks: Sequence[CategoryStock], most: int = MOST_CATEGORIES) -> tuple[Shelf, ...]:
    """Return the first ``most`` categories, and one line for the others if more than one is left."""
    shown = stocks if len(stocks) <= most + 1 else stocks[:most]
    lines = [Shelf(stock.category, stock.products, stock.units) for stock in shown]
    if rest := stocks[len(shown) :]:
        lines.append(Shelf(None, sum(each.products for each in rest), sum(each.units for each in rest), len(rest)))
    return tuple(lines)


def shelf_name(shelf: Shelf) -> str:
    """Return the label of a category line."""
    if shelf.others:
        return gettext("Otras %(number)s categorías", number=format_number(shelf.others))
    return shelf.category or gettext("Sin categoría")


def days_text(count: int) -> str:
    """Return a number of days, or that it is less than one."""
    if not count:
        return gettext("menos de 1 día")
    return ngettext("%(number)s día", "%(number)s días", count, number=format_number(count))


def day_text(day: DayTotals) -> str:
    """Return a day for tables and axes."""
    locale = get_locale()
    return str(format_date(day.day, "d MMM" if locale is None or locale.language != "en" else "MMM d"))


def categories(shown: Sequence[Shelf]) -> Markup:
    """Draw units by category."""
    lines = [Bar(shelf_name(shelf), shelf.units, format_number(shelf.units)) for shelf in shown]
    return bars("categories", gettext("Unidades por categoría"), _told(lines), lines, format_number)


def movements(shown: Sequence[DayTotals]) -> Markup:
    """Draw received and issued units by day."""
    days_shown = [
        Day(
            day_text(day),
            day.incoming,
            day.outgoing,
            gettext(
                "%(day)s: entran %(incoming)s y salen %(outgoing)s",
                day=day_text(day),
                incoming=format_number(day.incoming),
                outgoing=format_number(day.outgoing),
            ),
        )
        for day in shown
    ]
    text = gettext(
        "%(movements)s en este periodo; entran %(incoming)s unidades y salen %(outgoing)s.",
        movements=movements_text(sum(day.movements for day in shown)),
        incoming=format_number(sum(day.incoming for day in shown)),
        outgoing=format_number(sum(day.outgoing for day in shown)),
    )
    return days("movements", gettext("Entradas y salidas por día"), text, days_shown, format_number)


def running_out(shown: Sequence[RunOutForecast]) -> Markup:
    """Draw how many days the stock of each product lasts."""
    lines = [Bar(f"{row.code} · {row.name}", row.days_left, days_text(row.days_left)) for row in shown]
    return bars("running-out", gettext("Días hasta que se acabe"), _told(lines), lines, format_number)


def lacking(shown: Sequence[StockShortage]) -> Markup:
    """Draw how many units each product lacks to its minimum."""
    lines = [Bar(f"{row.code} · {row.name}", row.lacks, format_number(row.lacks)) for row in shown]
    return bars("lacking", gettext("Unidades que faltan hasta el mínimo"), _told(lines), lines, format_number)


def _told(lines: Sequence[Bar]) -> str:
    return "; ".join(f"{line.label}: {line.text}" for line in lines)
