"""Session fixtures that make the application cheap to test; a `conftest.py` imports those that it needs."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from inventory_web.auth import users

SHIPPED_HASHER, SHIPPED_DUMMY_HASH = users.hasher, users.DUMMY_HASH
CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class CompiledTemplates(BytecodeCache):
    """Templates as compiled by the first application that showed them; Jinja checks that their source is still the same."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def templates_are_compiled_once() -> Iterator[None]:
    """Many tests make an application, and compiling the templates would be half of its work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_options", {"bytecode_cache": CompiledTemplates()})
        yield


@pytest.fixture(scope="session", autouse=True)
def passwords_are_hashed_fast() -> Iterator[None]:
    """A shipped hash takes 25 ms on purpose. Other processes accept these too: a hash names its parameters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "hasher", lambda: CHEAP_HASHER)
        patch.setattr(users, "DUMMY_HASH", CHEAP_HASHER.hash("nobody has this password"))
        yield


@pytest.fixture
def shipped_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords as the product does."""
    monkeypatch.setattr(users, "hasher", SHIPPED_HASHER)
    monkeypatch.setattr(users, "DUMMY_HASH", SHIPPED_DUMMY_HASH)
