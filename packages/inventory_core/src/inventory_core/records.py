"""Convert the values that operations, queries and errors hold to JSON."""

import dataclasses
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any


class Record:
    """Base of the frozen dataclasses that operations and queries return."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(self)  # type: ignore[arg-type]
        return {field.name: json_value(getattr(self, field.name)) for field in fields}


def json_value(value: object) -> Any:
    """Return the JSON form: times in ISO 8601, enums as their values, records as objects, anything unknown as its text."""
    found: Any = str(value)
    match value:
        case Enum():
            found = value.value
        case None | int() | float() | str():
            found = value
        case date():
            found = value.isoformat()
        case Record():
            found = value.as_dict()
        case Mapping():
            found = {str(name): json_value(part) for name, part in value.items()}
        case tuple() | list() | set() | frozenset():
            found = [json_value(part) for part in value]
    return found
