"""Check what every request carries: types of arguments, operation id, actor, reason, page size."""

import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, Literal, ParamSpec, TypeVar

from inventory_core.errors import Fault, InvalidInput
from inventory_core.rules.texts import normalize_line, shown, text_faults

P = ParamSpec("P")
R = TypeVar("R")

MAX_STORED_INTEGER = 2**63 - 1
_QUANTITIES = ("quantity", "delta", "minimum")
"""Numbers that ``rules.stock`` checks, together with the other rules of a request."""

_IDS = ("movement_id",)
"""A value that no row can have is not found, instead of refused."""

_field_types: dict[type, dict[str, Any]] = {}

MAX_OPERATION_LENGTH = 64
MAX_ACTOR_LENGTH = 80
MAX_REASON_LENGTH = 200
MAX_PAGE_SIZE = 500


def check_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function raise ``InvalidInput``, with a fault for each argument that does not match its annotated type.

    Checks classes, their unions, containers and literals. Whole numbers must fit into 64 bits; ``bool`` is not a number.
    """
    signature = inspect.signature(function)

    @functools.cache
    def hints() -> dict[str, Any]:
        return typing.get_type_hints(function)

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        known = hints()
        bound = signature.bind(*args, **kwargs).arguments
        if faults := [fault for name, value in bound.items() for fault in type_faults(name, value, known.get(name))]:
            raise InvalidInput(*faults)
        return function(*args, **kwargs)

    return checked


def require_types(record: Any) -> None:
    """Raise ``InvalidInput`` unless each field of a dataclass is of its annotated type."""
    kind = type(record)
    hints = _field_types.get(kind) or _field_types.setdefault(kind, typing.get_type_hints(kind))
    if faults := [fault for name, hint in hints.items() for fault in type_faults(name, getattr(record, name), hint)]:
        raise InvalidInput(*faults)


def type_faults(name: str, value: object, hint: object) -> Iterator[Fault]:
    """Yield the fault of a value's type: ``not_whole``, ``too_large`` (64 bits), ``unknown`` or ``wrong_type``."""
    if name in _QUANTITIES:
        return
    if typing.get_origin(hint) is tuple and isinstance(value, tuple):
        kinds = typing.get_args(hint)
        kinds = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
        if len(kinds) != len(value):
            yield Fault(name, "wrong_type", shown(value))
        for item, kind in zip(value, kinds, strict=False):
            yield from type_faults(name, item, kind)
        return
    allowed, literals = _allowed(hint)
    if literals:
        if value not in literals:
            yield Fault(name, "unknown", shown(value))
    elif allowed and not _fits(value, allowed):
        yield Fault(name, "not_whole" if int in allowed else "wrong_type", shown(value))
    elif type(value) is int and abs(value) > MAX_STORED_INTEGER and name not in _IDS:
        yield Fault(name, "too_large", shown(value), MAX_STORED_INTEGER)


def _fits(value: object, allowed: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in allowed or object in allowed
    return isinstance(value, allowed)


@functools.cache
def _allowed(hint: Any) -> tuple[tuple[type, ...], tuple[object, ...]]:
    """Return the classes and literals that a type hint allows; two empty tuples if the hint cannot be checked."""
    origin = typing.get_origin(hint)
    if origin is Literal:
        return (), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        parts = [_allowed(part)[0] for part in typing.get_args(hint)]
        return (tuple(kind for part in parts for kind in part) if all(parts) else ()), ()
    if isinstance(origin, type):
        return (origin,), ()
    if not isinstance(hint, type) or hint.__module__ == "typing" or getattr(hint, "_is_protocol", False):
        return (), ()
    return (hint,), ()


def request_faults(operation: str, actor: str, reason: str = "") -> list[Fault]:
    """Return the faults. An id has 1 to 64 printable ASCII characters without blanks; actor and reason are normalized texts."""
    faults = []
    if not operation:
        faults.append(Fault("operation", "required"))
    elif len(operation) > MAX_OPERATION_LENGTH:
        faults.append(Fault("operation", "too_long", operation[:80], MAX_OPERATION_LENGTH))
    elif not re.fullmatch(r"[!-~]+", operation):
        faults.append(Fault("operation", "characters", operation))
    faults += text_faults("actor", actor, longest=MAX_ACTOR_LENGTH, required=True, invisible_allowed=True)
    if reason:
        faults += text_faults("reason", reason, longest=MAX_REASON_LENGTH, invisible_allowed=True)
    return faults


def normalize_reason(reason: str) -> str:
    """Return the reason on one line, trimmed."""
    return normalize_line(reason) if reason else ""


def check_page_size(size: int) -> None:
    """Raise ``InvalidInput`` unless the size is from 1 to 500."""
    if size < 1:
        raise InvalidInput(Fault("size", "zero" if size == 0 else "negative", shown(size)))
    if size > MAX_PAGE_SIZE:
        raise InvalidInput(Fault("size", "too_large", shown(size), MAX_PAGE_SIZE))
