from pathlib import Path

import pytest

from benchmarks.measuring import Bar, Comparison, Figure, Table, p95
from benchmarks.report import write


def test_the_page_says_what_was_measured_on_what_and_what_misses(tmp_path: Path) -> None:
    figures = [
        Figure("page", 12.345, "ms", 4.0, Bar("most", 30)),
        Figure("change", 900.0, "µs", 300.0, Bar("times", 2.5)),
        Figure("import", 20_000.0, "rows/s", None, Bar("least", 15_000)),
        Figure("statements", 3, "statements"),
    ]
    write("inventory", {"Cores": "2"}, [Table("Speed", "How.", figures)], tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text("utf-8")

    assert "- Cores: 2\n" in page
    assert "## Speed\n\nHow.\n" in page
    assert "| page | 12.3 ms | 4 ms | 3.09 | ≤ 30 ms | met |" in page
    assert "| change | 900 µs | 300 µs | 3.00 | ≤ 2.5 times the floor | **misses** |" in page
    assert "| import | 20,000 rows/s |  |  | ≥ 15,000 rows/s | met |" in page
    assert "| statements | 3 statements |  |  |  |  |" in page


def test_a_run_of_one_part_leaves_the_other_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    write("replication", {"Cores": "2"}, [Comparison("Ways", "How.", ("way", "time"), (("straight", "1 ms"),))], page)
    write("inventory", {"Cores": "2"}, [Table("Speed", "How.", [Figure("page", 1.0, "ms")])], page)
    write("inventory", {"Cores": "2"}, [Table("Speed", "How.", [Figure("page", 2.0, "ms")])], page)
    text = page.read_text("utf-8")

    assert text.count("| straight | 1 ms |") == 1
    assert text.count("| page | 2 ms |") == text.count("| page |") == 1
    assert text.index("| page |") < text.index("| straight |")
    assert "\n\n\n" not in text


@pytest.mark.parametrize(("number", "place"), [(1, 0), (2, 1), (20, 18), (60, 56), (100, 94)])
def test_the_95th_percentile_is_the_nearest_rank(number: int, place: int) -> None:
    assert p95([float(value) for value in reversed(range(number))]) == place
