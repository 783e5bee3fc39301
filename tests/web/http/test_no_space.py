"""A full disk of an instance is reported as such."""

import errno
from collections.abc import Callable
from typing import Never

import pytest
from flask import Flask

from inventory_web.roles import public
from tests.web.browser import Browser


@pytest.fixture
def failing(make_app: Callable[..., Flask]) -> Browser:
    """A browser on an application of which one page fails as a disk does."""

    @public
    def fail(number: int) -> Never:
        raise OSError(number, "as the disk says it")

    app = make_app()
    app.add_url_rule("/failing/<int:number>", "failing", fail)
    return Browser(app)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_not_a_fault_of_the_program(failing: Browser, number: int) -> None:
    answer = failing.get(f"/failing/{number}")

    assert answer.status_code == 507
    assert "WEB-507" in answer.text
    assert "No se guardó nada" in answer.text


def test_another_trouble_of_a_disk_is_one(failing: Browser) -> None:
    assert failing.get(f"/failing/{errno.EIO}").status_code == 500
