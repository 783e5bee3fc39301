"""A statement names the request that sends it, where that is safe and costs nothing."""

import pytest
from pymysql.cursors import RE_INSERT_VALUES
from sqlalchemy import create_engine, event, text

from inventory_web.context import REQUEST_ID
from inventory_web.db.sql_comments import comment_statements, commented

ID = "0f3a9c5e7b1d4e2f8a6c0d9b3e5f7a1c"
INSERT = "INSERT INTO `inventory_movement` (`kind`, `quantity`) VALUES (%s, %s)"


def test_a_statement_begins_with_the_id_of_its_request() -> None:
    assert commented("SELECT 1", ID) == f"/* request={ID} */ SELECT 1"


@pytest.mark.parametrize(
    "unsafe",
    [
        "",
        "short",
        "a" * 65,
        "*/ DROP TABLE product; --",
        "abcdefgh*/",
        "abcdefgh%s",
        "abcd efgh",
        "abcdefgh\n",
        "ñandúñandú",
    ],
)
def test_an_id_that_is_not_safe_in_a_comment_is_left_out(unsafe: str) -> None:
    assert commented("SELECT 1", unsafe) == "SELECT 1"
    assert commented(INSERT, unsafe, many=True) == INSERT


@pytest.mark.parametrize("statement", [INSERT, f"{INSERT} ON DUPLICATE KEY UPDATE `kind` = %s", f"\n  {INSERT}"])
def test_the_driver_still_sends_many_rows_at_once(statement: str) -> None:
    sent = commented(statement, ID, many=True)

    assert RE_INSERT_VALUES.match(statement)
    assert RE_INSERT_VALUES.match(sent)
    assert f"INSERT /* request={ID} */ INTO" in sent


def test_a_hint_stays_right_after_its_word() -> None:
    hinted = INSERT.replace("INSERT", "INSERT /*+ SET_VAR(sort_buffer_size = 1M) */")

    assert commented(hinted, ID, many=True) == hinted
    assert commented("SELECT /*+ MAX_EXECUTION_TIME(9) */ 1", ID).endswith("*/ SELECT /*+ MAX_EXECUTION_TIME(9) */ 1")


def test_statements_on_sqlite_stay_as_they_are() -> None:
    engine = create_engine("sqlite://")
    comment_statements(engine)
    sent: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_: sent.append(statement))
    mark = REQUEST_ID.set(ID)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    REQUEST_ID.reset(mark)
    engine.dispose()

    assert sent == ["SELECT 1"]
