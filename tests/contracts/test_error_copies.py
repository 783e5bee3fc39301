"""Errors of the three packages keep their attributes when they are copied, pickled or come out of another process."""

import copy
import inspect
import json
import multiprocessing
import pickle
import types
import typing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from inventory_core import (
    ChangedProduct,
    ErrorKind,
    Fault,
    InsufficientStock,
    Inventory,
    InventoryError,
    SingleDatabase,
)
from inventory_core.stock.operations import issue
from inventory_core.testing import create_product, new_request, temporary_inventory
from inventory_replication import ReplicationError, Server
from inventory_replication.decisions.snapshot import NoAnswer
from inventory_replication.errors import CommitUnknown
from inventory_replication.provisioning.plan.findings import ChecksFailed, Finding
from inventory_replication.provisioning.server_admin import AdminError
from inventory_web.errors import WebError
from inventory_web.roles import Role

ROOTS = (InventoryError, ReplicationError, WebError, AdminError)
assert issubclass(ChecksFailed, ReplicationError), "imported so that its class is found"


def classes_below(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for subclass in kind.__subclasses__():
        if subclass.__module__.startswith("inventory_"):
            yield from classes_below(subclass)


KINDS = sorted(
    {kind for root in ROOTS for kind in classes_below(root)}, key=lambda kind: (kind.__module__, kind.__name__)
)
PRODUCT = ChangedProduct(1, "A-1", "Lámpara", 1, 2, None, 0, retired=False)
SAMPLES: dict[object, object] = {
    str: "a text",
    int: 3,
    bool: True,
    object: "anything",
    Finding: Finding("no_answer", "db", "it is taken", "choose another one"),
    NoAnswer: NoAnswer("no answer", alive=True),
    Server: Server("db", "db.example"),
    Fault: Fault("code", "required", "x", 4),
    ChangedProduct: PRODUCT,
    Role: Role.ADMIN,
    ReplicationError: CommitUnknown("lost"),
}


def sample(annotation: Any) -> Any:
    """A value of this type, other than any default."""
    if annotation in SAMPLES:
        return SAMPLES[annotation]
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return sample(arguments[0])
    if typing.get_origin(annotation) is tuple:
        return (sample(arguments[0]),)
    fields = inspect.signature(annotation).parameters
    hints = typing.get_type_hints(annotation)
    return annotation(**{name: sample(hints[name]) for name in fields})


def made(kind: type[Exception]) -> Exception:
    """An error of this kind with every argument that it takes."""
    hints = typing.get_type_hints(kind.__init__)
    positional, named = [], {}
    for name, parameter in list(inspect.signature(kind.__init__).parameters.items())[1:]:
        if parameter.annotation is inspect.Parameter.empty:
            continue
        if parameter.kind is parameter.KEYWORD_ONLY:
            named[name] = sample(hints[name])
        elif name in hints:
            positional.append(sample(hints[name]))
    return kind(*positional, **named)


WAYS: dict[str, Callable[[Exception], Exception]] = {
    "pickle": lambda error: pickle.loads(pickle.dumps(error)),  # noqa: S301 - our own error
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_copied_error_has_every_attribute(kind: type[Exception], way: str) -> None:
    error = made(kind)
    error.add_note("a note")
    found = WAYS[way](error)

    assert type(found) is kind
    assert str(found) == str(error)
    assert repr(found) == repr(error)
    assert {name: repr(value) for name, value in vars(found).items()} == {
        name: repr(value) for name, value in vars(error).items()
    }


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if issubclass(kind, InventoryError)], ids=lambda kind: kind.__name__
)
def test_an_error_becomes_json_with_code_kind_and_attributes(kind: type[InventoryError]) -> None:
    error = made(kind)
    assert isinstance(error, InventoryError)
    described = error.as_dict()

    assert json.loads(json.dumps(described)) == described
    assert (described["code"], described["message"]) == (kind.code, str(error))
    assert ErrorKind(described["kind"]) is kind.kind
    assert set(described) == {"code", "kind", "message", *vars(error)}


def issue_from(path: Path) -> None:
    """Issue more than there is, in another process."""
    sessions = SingleDatabase.from_file(path)
    try:
        issue(Inventory(sessions), code="A-1", quantity=9, **new_request())
    finally:
        sessions.close()


@pytest.mark.slow
def test_an_error_comes_out_of_a_process_pool_with_its_attributes(tmp_path: Path) -> None:
    with temporary_inventory(tmp_path) as inventory:
        create_product(inventory, "A-1", quantity=2)
        assert isinstance(inventory.sessions, SingleDatabase)
        path = Path(str(inventory.sessions.engine.url.database))
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            with pytest.raises(InsufficientStock) as caught:
                pool.submit(issue_from, path).result(timeout=60)
            with pytest.raises(InsufficientStock):
                pool.submit(issue_from, path).result(timeout=60)

    assert (caught.value.product_code, caught.value.available, caught.value.requested) == ("A-1", 2, 9)
