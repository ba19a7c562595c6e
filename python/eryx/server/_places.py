"""Where the sandboxes of a holder run: in this process, or in worker processes of their own."""

from __future__ import annotations

from eryx._errors import EryxError
from eryx._isolation import Workers
from eryx._session import Session
from eryx._storage import VfsStorage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eryx._processes import Tenant
    from eryx.server._quotas import Holder
    from eryx.server._settings import Quota, Settings


class Places:
    """The worker processes of the service, if it has any."""

    def __init__(self, settings: Settings) -> None:
        """Raises ValueError for what workers cannot do, or if none can be had on this machine."""
        self._workers: Workers | None = None
        if settings.isolation is None:
            return
        quotas = [key.quota for key in settings.keys] or [settings.quota]
        _try(quotas, with_storage=settings.e2b)
        self._workers = Workers(processes=settings.processes, per_tenant=True)

    def of(self, holder: Holder) -> Tenant | None:
        """What sandboxes of the holder take as ``isolation``; no two holders share a process."""
        return None if self._workers is None else self._workers.tenant(holder.name)

    @property
    def count(self) -> int:
        """How many worker processes there are now."""
        return 0 if self._workers is None else len(self._workers.pids)

    def close(self) -> None:
        """Ends the workers."""
        if self._workers is not None:
            self._workers.close()


def _try(quotas: list[Quota], with_storage: bool) -> None:
    """Makes a session of each kind that there will be, so that no request is the first to fail."""
    networks = {quota.allowed_hosts: quota.network for quota in quotas}
    with Workers(processes=1) as workers:
        for network in networks.values():
            try:
                Session(
                    isolation=workers,
                    network=network,
                    files=VfsStorage() if with_storage else None,
                ).close()
            except EryxError as error:
                needs = " (that e2b needs)" if with_storage else ""
                raise ValueError(f'isolation = "process"{needs}: {error}') from None
