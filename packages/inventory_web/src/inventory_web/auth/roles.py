"""Roles, and how a view says which one it asks for."""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

_ATTRIBUTE = "inventory_role"


class Role(IntEnum):
    """What an account may do; each role may do all that the smaller ones may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """The name that the database, the command line and forms use: ``viewer``, ``operator`` or ``admin``."""
        return self.name.lower()

    @classmethod
    def from_word(cls, word: str) -> "Role":
        """The role of this name; raises ``KeyError``."""
        return cls[word.upper()]


def requires(role: Role) -> Callable[[View], View]:
    """Mark a view: only accounts with at least this role get in.

    The check itself happens once for every request, before the view (``auth.access_control``). A blueprint with a view that
    has no mark is refused. A route that is added to the application later and has none asks for a viewer.
    """

    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, role)
        return view

    return mark


def public(view: View) -> View:
    """Mark a view as open to everybody, also without a login."""
    setattr(view, _ATTRIBUTE, None)
    return view


def is_marked(view: Callable[..., Any]) -> bool:
    """Return whether the view says who may open it."""
    return hasattr(view, _ATTRIBUTE)


def role_of(view: Callable[..., Any]) -> Role | None:
    """The role that a view asks for; None if it is public."""
    role: Role | None = getattr(view, _ATTRIBUTE, Role.VIEWER)
    return role
