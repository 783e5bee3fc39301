"""Roles, and how a view says which one it requires."""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

_ATTRIBUTE = "inventory_role"


class Role(IntEnum):
    """What an account may do; each role includes the permissions of the lower ones."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """Return the name in the database, on the command line and in forms: ``viewer``, ``operator`` or ``admin``."""
        return self.name.lower()

    @classmethod
    def from_word(cls, word: str) -> "Role":
        """Return the role of this name; raises ``KeyError``."""
        return cls[word.upper()]


def requires(role: Role) -> Callable[[View], View]:
    """Mark a view: it requires at least this role.

    ``auth.access_control`` checks each request once, before the view. A blueprint with an unmarked view is refused. An unmarked
    route that is added to the application later requires a viewer.
    """

    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, role)
        return view

    return mark


def public(view: View) -> View:
    """Mark a view as public, also without a login."""
    setattr(view, _ATTRIBUTE, None)
    return view


def is_marked(view: Callable[..., Any]) -> bool:
    """Return whether the view declares who may open it."""
    return hasattr(view, _ATTRIBUTE)


def role_of(view: Callable[..., Any]) -> Role | None:
    """Return the role that a view requires; None if it is public."""
    role: Role | None = getattr(view, _ATTRIBUTE, Role.VIEWER)
    return role
