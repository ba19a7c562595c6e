"""Sandboxes and sessions in worker processes, for those who use the package."""

from __future__ import annotations

from eryx._annotations import late_annotations
from eryx._processes import WorkerPool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Unpack

    from eryx._option_types import SandboxOptions, SessionOptions
    from eryx._sandbox import Sandbox
    from eryx._session import Session


class Workers(WorkerPool):
    """Worker processes in which sandboxes and sessions run.

    A worker has no network, no files, no environment and hardly any system calls; what a sandbox
    needs of the world it asks this process for. If a bug lets a guest take a worker over, it has
    got nothing but what the other sandboxes of that worker have. See docs/workers.md.

    >>> with Workers(processes=2) as workers:
    ...     workers.sandbox().execute("print(6 * 7)").stdout
    '42'
    """

    __module__ = "eryx"
    __slots__ = ()

    def sandbox(self, *, tenant: str | None = None, **options: Unpack[SandboxOptions]) -> Sandbox:
        """Makes a `Sandbox` in a worker. tenant: whose it is, for ``per_tenant``."""
        from eryx._sandbox import Sandbox

        options["isolation"] = self.tenant(tenant)
        return Sandbox(**options)

    def session(self, *, tenant: str | None = None, **options: Unpack[SessionOptions]) -> Session:
        """Makes a `Session` in a worker. tenant: whose it is, for ``per_tenant``."""
        from eryx._session import Session

        options["isolation"] = self.tenant(tenant)
        return Session(**options)


late_annotations(globals(), Workers)
