"""Errors of provisioning that carry what was found or done."""

from inventory_replication.errors import ProvisioningRefused, ReplicationError
from inventory_replication.provisioning.findings import Finding


class Refused(ProvisioningRefused):
    """The servers cannot become what is wanted as they are; nothing was changed on any of them.

    Args:
        findings: Everything that speaks against it, at least one.
    """

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(map(str, findings)))
        self.findings = findings


class StepFailed(ReplicationError):
    """A step could not be carried out. Those before it are done; the same command may be run again and goes on from there.

    Args:
        message: Which step, on which server, why, and what to do.
        server: Name of the server.
    """

    code = "REP-101"
    default_message = "A step failed; those before it are done. Mend the cause and run the same command again."

    def __init__(self, message: str = "", *, server: str = "") -> None:
        super().__init__(message)
        self.server = server
