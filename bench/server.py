"""A load of many users on the HTTP service: ``python bench/server.py [--users N] [--seconds S]``.

Needs the extra ``server`` and httpx. Each user has a session, runs a program in it, waits for up
to a second, and so on; in one round of ten a file is written. Prints what the users saw.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx

PROGRAM = "total = sum(n * n for n in range(2000)); seen = globals().get('seen', 0) + 1; seen"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def memory_mb(process: int) -> float:
    """What the process has of its own, in megabytes."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def processor_seconds(process: int) -> float:
    """What the process has used of processors until now."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Users:
    def __init__(self, url: str, seconds: float) -> None:
        self.client = httpx.AsyncClient(
            base_url=url, timeout=60, limits=httpx.Limits(max_connections=600)
        )
        self.end = time.monotonic() + seconds
        self.times: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.wrong = 0

    async def request(self, method: str, path: str, **more: object) -> httpx.Response:
        began = time.monotonic()
        answer = await self.client.request(method, path, **more)  # type: ignore[arg-type]
        self.times.append(time.monotonic() - began)
        self.statuses[answer.status_code] += 1
        return answer

    async def one(self) -> None:
        await asyncio.sleep(random.random())
        answer = await self.request("POST", "/v1/sessions")
        if answer.status_code != 201:
            return
        session = answer.headers["location"]
        runs = 0
        while time.monotonic() < self.end:
            if random.random() < 0.1:
                await self.request("PUT", f"{session}/files/data", content=b"x" * 10_000)
            answer = await self.request("POST", f"{session}/runs", json={"code": PROGRAM})
            if answer.status_code == 200:
                runs += 1
                self.wrong += answer.json()["value"] != runs
            await asyncio.sleep(random.random())
        await self.request("DELETE", session)


async def load(url: str, count: int, seconds: float) -> Users:
    users = Users(url, seconds)
    async with users.client:
        await asyncio.gather(*[users.one() for _ in range(count)])
    return users


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "settings.toml")
        settings.write_text(
            f"max_waiting = 1000\n[quota]\nsessions = {options.users}\nconcurrent_runs = 1000\n"
            "runs_per_minute = 1000000\n"
        )
        command = ["-m", "eryx", "serve", "--http", str(port), "--settings", str(settings)]
        process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port}"
        try:
            while True:
                try:
                    httpx.get(f"{url}/readyz")
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            before = memory_mb(process.pid)
            used = processor_seconds(process.pid)
            users = asyncio.run(load(url, options.users, options.seconds))
            used = processor_seconds(process.pid) - used
            after = memory_mb(process.pid)
        finally:
            process.terminate()
            process.wait()
    times = sorted(users.times)
    print(f"{options.users} users, {options.seconds:.0f} s: {len(times)} requests")
    print(f"answers: {dict(users.statuses)}; wrong values: {users.wrong}")
    print(f"a request: p50 {times[len(times) // 2] * 1e3:.1f} ms, ", end="")
    print(f"p99 {times[len(times) * 99 // 100] * 1e3:.1f} ms")
    print(f"processor time of the service: {used / len(times) * 1e3:.2f} ms a request")
    print(f"memory of the process: {before:.0f} MB before, {after:.0f} MB after")
    return 0


if __name__ == "__main__":
    sys.exit(main())
