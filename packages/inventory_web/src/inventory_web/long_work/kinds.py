"""Kinds of long work: what an area says about its jobs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from inventory_core.inventory import Inventory
from inventory_web.current import Account
from inventory_web.long_work import claims
from inventory_web.long_work.progress import Progress
from inventory_web.long_work.states import Job, State
from inventory_web.roles import Role


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a step works with. ``progress`` takes reports and raises when the work is to end."""

    inventory: Inventory
    job: Job
    worker: str
    progress: Progress

    def store(self, change: Callable[[Session], None]) -> None:
        """Write something that belongs to the job. Raises ``LeaseLost``."""
        claims.store(self.inventory, self.job.id, self.worker, change)


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of a step: JSON values to keep, whether the job's file is still needed, and the size of one that was made.

    ``also`` is written in the transaction that writes down the end, ``after`` is called after it.
    """

    state: State
    outcome: Mapping[str, Any]
    keep_file: bool
    size: int | None = None
    also: Callable[[Session], None] | None = None
    after: Callable[[], None] | None = None


class Step(Protocol):
    """A step of a job. It may run again after a process died: it must then bring about the same, once."""

    def __call__(self, assignment: Assignment, /) -> Ending:
        """Do the work. An error of the core ends the job as failed, or repeats it if only the database is away."""
        ...


@dataclass(frozen=True, slots=True)
class WorkKind:
    """A kind of long work.

    ``endpoint`` names the page of one job (argument ``job_id``). ``private``: only its owner and administrators see a job,
    else everybody with ``role``. ``lasting``: a job that was done is never cleared away. ``has_input``: its file was given to it,
    and is needed to repeat it; else its file is what it makes. ``slot``: jobs of kinds with the same slot need much memory, and
    an instance works on one of them at a time.
    """

    name: str
    label: object
    endpoint: str
    icon: str
    role: Role
    steps: Mapping[str, Step]
    state_text: Callable[[Job], str]
    private: bool = False
    lasting: bool = False
    has_input: bool = False
    slot: str = ""

    def may_see(self, account: Account, job: Job) -> bool:
        """Whether this person may see the job, cancel it and repeat it."""
        if not account.may(self.role):
            return False
        return not self.private or job.actor == account.name or account.may(Role.ADMIN)

    def only_of(self, account: Account) -> str | None:
        """The only actor whose jobs this person may see; None for everybody's."""
        return account.name if self.private and not account.may(Role.ADMIN) else None
