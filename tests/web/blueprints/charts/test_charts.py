"""Pictures of numbers: what is drawn is what was given, and nothing is drawn outside the picture."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_web.blueprints.charts import Bar, Day, Level, bars, days, levels
from tests.web.blueprints.charts.reading import Picture

UNITS = st.integers(0, 10**13)
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=120)


def numbered(value: int) -> str:
    return f"{value:,}"


def drawn_bars(values: list[int], label: str = "Hogar") -> Picture:
    shown = [Bar(label, value, numbered(value)) for value in values]
    return Picture.of(bars("b", "Título", "Qué", shown, numbered))


def drawn_days(pairs: list[tuple[int, int]]) -> Picture:
    shown = [
        Day(f"{place} nov", incoming, outgoing, f"día {place}") for place, (incoming, outgoing) in enumerate(pairs)
    ]
    return Picture.of(days("d", "Título", "Qué", shown, numbered))


@given(values=st.lists(UNITS, max_size=12), label=WORDS)
def test_bars_lie_inside_the_picture_and_are_as_long_as_their_numbers(values: list[int], label: str) -> None:
    picture = drawn_bars(values, label)
    boxes = picture.boxes("bar")

    assert picture.outside() == []
    assert picture.texts("value") == [numbered(value) for value in values]
    assert len(boxes) == len(values)
    largest = max(values, default=0)
    for box, value in zip(boxes, values, strict=True):
        expected = max(each["width"] for each in boxes) * value / largest if largest else 0
        assert box["width"] == pytest.approx(expected, abs=0.02)


@given(pairs=st.lists(st.tuples(UNITS, UNITS), min_size=1, max_size=90))
def test_columns_go_up_and_down_from_one_line_by_one_scale(pairs: list[tuple[int, int]]) -> None:
    picture = drawn_days(pairs)
    up, down = picture.boxes("in"), picture.boxes("out")
    came, went = [incoming for incoming, _ in pairs if incoming], [outgoing for _, outgoing in pairs if outgoing]

    assert picture.outside() == []
    assert (len(up), len(down)) == (len(came), len(went))
    assert len({round(box["y"] + box["height"], 1) for box in up} | {round(box["y"], 1) for box in down}) <= 1
    heights = [(box["height"], value) for box, value in zip([*up, *down], [*came, *went], strict=True)]
    tallest, largest = max(heights, default=(0, 1), key=lambda each: each[1])
    assert all(height == pytest.approx(tallest * value / largest, abs=0.03) for height, value in heights)


@given(pairs=st.lists(st.tuples(UNITS, UNITS), min_size=1, max_size=90))
def test_the_first_and_the_last_day_are_named(pairs: list[tuple[int, int]]) -> None:
    named = [text for text in drawn_days(pairs).texts("tick") if text.endswith("nov")]

    assert len(named) <= 4
    assert (named[0], named[-1]) == ("0 nov", f"{len(pairs) - 1} nov")


@given(quantities=st.lists(UNITS, min_size=1, max_size=100))
def test_levels_lie_inside_the_picture_and_higher_ones_are_drawn_higher(quantities: list[int]) -> None:
    shown = [Level(place / len(quantities), quantity) for place, quantity in enumerate(quantities)]
    picture = Picture.of(levels("l", "Título", "Qué", shown, ("antes", "hoy"), numbered))
    width, height = picture.size
    drawn = next(path.attrib["d"] for path in picture.svg.iter("path") if path.attrib["class"] == "chart-line")
    first, *steps = drawn.removeprefix("M").split("H")
    heights = [float(first.split()[1]), *(float(step.split("V")[1]) for step in steps[:-1])]
    places = [float(first.split()[0]), *(float(step.split("V")[0]) for step in steps)]

    assert picture.outside() == []
    assert all(0 <= each <= height for each in heights)
    assert places == sorted(places)
    assert (min(places) >= 0, places[-1]) == (True, width)
    by_quantity = [place for _, place in sorted(zip(quantities, heights, strict=True), key=lambda each: each[0])]
    assert all(lower >= higher - 0.02 for lower, higher in itertools.pairwise(by_quantity))


def test_a_picture_has_a_name_and_a_description_and_no_style_of_its_own() -> None:
    html = bars("units", "Unidades", "Hogar: 3", [Bar("Hogar", 3, "3")], str)
    svg = Picture.of(html).svg

    assert (svg.attrib["role"], svg.attrib["aria-labelledby"]) == ("img", "units-title units-description")
    assert [svg.findtext("title"), svg.findtext("desc")] == ["Unidades", "Hogar: 3"]
    assert "style" not in html
    assert "fill=" not in html


def test_what_people_typed_is_text_and_nothing_else() -> None:
    evil = '</text><script>alert(1)</script>"&'

    html = bars("b", evil, evil, [Bar(evil, 1, evil)], str)

    assert "<script" not in html
    assert Picture.of(html).svg.findtext("title") == evil


def test_a_label_that_is_too_long_ends_in_dots() -> None:
    (label,) = drawn_bars([5], "W" * 200).texts()

    assert label == "W" * 29 + "…"
