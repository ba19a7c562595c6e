"""A load of many users on the HTTP service: ``python bench/server.py [--users N] [--seconds S]``.

Needs the extra ``server``. Each user has a session, runs a program in it, waits for up
to a second, and so on; in one round of ten a file is written. Prints what the users saw.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

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


class Connection:
    """One connection that stays: a client that costs little, as it shares the processors."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def request(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = re.search(r"^content-length: (\d+)", answer, re.MULTILINE)
        data = await self._reader.readexactly(int(length[1]) if length else 0)
        return int(answer.split()[1]), data

    def close(self) -> None:
        self._writer.close()


class Users:
    def __init__(self, port: int, seconds: float) -> None:
        self.port = port
        self.end = time.monotonic() + seconds
        self.times: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.wrong = 0

    async def one(self) -> None:
        await asyncio.sleep(random.random())
        connection = Connection(self.port)
        await connection.open()

        async def request(method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
            began = time.monotonic()
            answer = await connection.request(method, path, body)
            self.times.append(time.monotonic() - began)
            self.statuses[answer[0]] += 1
            return answer

        try:
            status, data = await request("POST", "/v1/sessions")
            if status != 201:
                return
            session = f"/v1/sessions/{json.loads(data)['id']}"
            runs = 0
            while time.monotonic() < self.end:
                if random.random() < 0.1:
                    await request("PUT", f"{session}/files/data", b"x" * 10_000)
                body = json.dumps({"code": PROGRAM}).encode()
                status, data = await request("POST", f"{session}/runs", body)
                if status == 200:
                    runs += 1
                    self.wrong += json.loads(data)["value"] != runs
                await asyncio.sleep(random.random())
            await request("DELETE", session)
        finally:
            connection.close()


async def load(port: int, count: int, seconds: float) -> Users:
    users = Users(port, seconds)
    await asyncio.gather(*[users.one() for _ in range(count)])
    return users


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--isolation", choices=["process"], help="sandboxes in worker processes")
    options = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "settings.toml")
        settings.write_text(
            f"max_waiting = 1000\n[quota]\nsessions = {options.users}\nconcurrent_runs = 1000\n"
            "runs_per_minute = 1000000\n"
        )
        command = ["-m", "eryx", "serve", "--http", str(port), "--settings", str(settings)]
        if options.isolation is not None:
            command += ["--isolation", options.isolation]
        process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
        try:
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").close()
                    break
                except OSError:
                    time.sleep(0.05)
            before = memory_mb(process.pid)
            used = processor_seconds(process.pid)
            users = asyncio.run(load(port, options.users, options.seconds))
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
