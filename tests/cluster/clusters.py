"""Clusters of two engines on this machine, whose parts can be killed."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import tempfile
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import psutil

STORE_BYTES = 80 * 2**20


def wait_until(happens: Callable[[], object], seconds: float = 300) -> None:
    """Waits for something; fails if it does not happen."""
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)


def patiently(start: Callable[[], Any]) -> Any:
    """Starts something of Ray, which gives up after 30 seconds; a busy machine takes longer."""
    for _ in range(5):
        try:
            return start()
        except Exception as error:
            if "timed out during startup" not in str(error):
                raise
    return start()


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_tree(pid: int) -> None:
    """Kills a process and all that it has started, the process first."""
    process = psutil.Process(pid)
    children = process.children(recursive=True)
    kill(pid)
    for child in children:
        kill(child.pid)


class Cluster:
    """What the tests do with either engine."""

    name: str
    connect: str
    """Source that connects a program to the cluster."""

    def module(self) -> Any:
        """eryx.ext.ray or eryx.ext.dask."""
        return importlib.import_module(f"eryx.ext.{self.name}")

    def pool(self, **options: Any) -> Any:
        return self.module().Pool(**options)

    def host_pids(self) -> list[int]:
        """The processes in which programs run."""
        raise NotImplementedError

    def nodes(self) -> list[str]:
        """What `Answer.node` calls them."""
        raise NotImplementedError

    def kill_node(self, node: str) -> None:
        """Kills all processes of a node."""
        raise NotImplementedError

    def add_node(self) -> None:
        raise NotImplementedError

    def repair(self) -> None:
        """Adds nodes for those that were killed."""
        while len(self.nodes()) < 2:
            self.add_node()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        raise NotImplementedError


class DaskCluster(Cluster):
    """A scheduler here, and nannies whose workers are processes; a node is a nanny with its own."""

    name = "dask"

    def __init__(self, nodes: int) -> None:
        from distributed import Client, LocalCluster

        self._cluster = LocalCluster(
            n_workers=nodes,
            threads_per_worker=1,
            dashboard_address=None,
            memory_limit=0,
            local_directory=tempfile.gettempdir(),
        )
        self._client = Client(self._cluster)
        address = self._cluster.scheduler_address
        self.connect = f"from distributed import Client; client = Client({address!r})"

    def _workers(self) -> dict[str, int]:
        return self._client.run(os.getpid)

    def host_pids(self) -> list[int]:
        return [*self._workers().values()]

    def nodes(self) -> list[str]:
        return [*self._client.scheduler_info(n_workers=-1)["workers"]]

    def kill_node(self, node: str) -> None:
        nanny = next(
            nanny for nanny in self._cluster.workers.values() if nanny.worker_address == node
        )
        nanny.auto_restart = False  # the nanny is a part of the node, and here one of the tests
        kill(nanny.pid)

    def add_node(self) -> None:
        count = len(self.nodes()) + 1
        self._cluster.scale(len(self._cluster.worker_spec) + 1)
        wait_until(lambda: len(self.nodes()) >= count)

    def __exit__(self, *error: object) -> None:
        self._client.close()
        self._cluster.close()


class RayCluster(Cluster):
    """A head without processors, and nodes that are raylets with all that belongs to them."""

    name = "ray"

    def __init__(self, nodes: int) -> None:
        import ray
        from ray.cluster_utils import Cluster as Nodes

        self._folder = tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp")  # a short path
        os.environ["RAY_TMPDIR"] = self._folder.name
        arguments = {
            "num_cpus": 0,
            "object_store_memory": STORE_BYTES,
            "include_dashboard": False,
            "include_log_monitor": False,
            "no_monitor": True,
        }
        self._cluster = patiently(lambda: Nodes(initialize_head=True, head_node_args=arguments))
        self._nodes: dict[str, Any] = {}
        for _ in range(nodes):
            self._add()
        ray.init(address=self._cluster.address, log_to_driver=False)
        address = self._cluster.address
        self.connect = f"import ray; ray.init({address!r}, log_to_driver=False)"

    def pool(self, **options: Any) -> Any:
        """One host on each node at first, and room for those of other pools."""
        return super().pool(**{"num_cpus": 0.2, "max_hosts": len(self._nodes), **options})

    def _add(self) -> None:
        node = patiently(
            lambda: self._cluster.add_node(
                num_cpus=2, object_store_memory=STORE_BYTES, include_log_monitor=False
            )
        )
        self._nodes[node.node_id] = node

    def _raylet(self, node: str) -> int:
        infos = self._nodes[node].all_processes["raylet"]
        pid: int = infos[0].process.pid
        return pid

    def host_pids(self) -> list[int]:
        return [
            child.pid
            for node in self._nodes
            for child in psutil.Process(self._raylet(node)).children(recursive=True)
            if child.name().startswith("ray::Host")
        ]

    def nodes(self) -> list[str]:
        return [*self._nodes]

    def kill_node(self, node: str) -> None:
        kill_tree(self._raylet(node))
        self._nodes.pop(node)

    def add_node(self) -> None:
        self._add()

    def __exit__(self, *error: object) -> None:
        import ray

        ray.shutdown()
        self._cluster.shutdown()
        del os.environ["RAY_TMPDIR"]
        self._folder.cleanup()


ENGINES = {"dask": DaskCluster, "ray": RayCluster}
