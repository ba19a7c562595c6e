"""What the network costs: the guest beside native CPython, against a server on loopback.

    python bench/network.py [--native COMMAND] [--rounds N] [NAME...]

--native: a CPython 3.14 to compare with, which gets the same programs on its standard input; else
python3.14 on the PATH. Both talk to one server, which is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import textwrap
import threading
from pathlib import Path
from typing import IO

import trustme

import eryx

# Each prints one figure. PORTS has the server's, AUTHORITY its certificate as text.
PREFIX = """
import socket, ssl, sys, time
context = ssl.create_default_context(cadata=AUTHORITY)
def connect(kind, tls):
    connection = socket.create_connection(("localhost", PORTS[kind]), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(connection, server_hostname="localhost") if tls else connection
"""

REQUESTS = """
import http.client
kind = http.client.HTTPSConnection if {tls} else http.client.HTTPConnection
options = {{"context": context}} if {tls} else {{}}
client = kind("localhost", PORTS["https" if {tls} else "http"], **options)
def request():
    client.request("GET", "/")
    assert len(client.getresponse().read()) == 13
for _ in range(50):
    request()
count = 1500
began = time.perf_counter()
for _ in range(count):
    request()
print(count / (time.perf_counter() - began))
"""

STREAMS = """
import asyncio
async def main():
    port, tls = (PORTS["https"], context) if {tls} else (PORTS["http"], None)
    reader, writer = await asyncio.open_connection("localhost", port, ssl=tls)
    async def request():
        writer.write(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
        await reader.readuntil(b"\\r\\n\\r\\n")
        await reader.readexactly(13)
    for _ in range(50):
        await request()
    count = 1500
    began = time.perf_counter()
    for _ in range(count):
        await request()
    print(count / (time.perf_counter() - began))
    writer.close()
asyncio.run(main())
"""

CONNECTS = """
kind = "https" if {tls} else "http"
times = []
for _ in range({count}):
    began = time.perf_counter()
    connect(kind, {tls}).close()
    times.append(time.perf_counter() - began)
print(sorted(times)[len(times) // 2] * 1e6)
"""

DOWNLOAD = """
connection = connect("tls source" if {tls} else "source", {tls})
buffer = bytearray(1 << 20)
size = 0
began = time.perf_counter()
while received := connection.recv_into(buffer):
    size += received
print(size / (time.perf_counter() - began) / 1e6)
"""

UPLOAD = """
connection = connect("tls sink" if {tls} else "sink", {tls})
data = bytes(1 << 20)
began = time.perf_counter()
for _ in range({megabytes}):
    connection.sendall(data)
connection.shutdown(socket.SHUT_WR) if not {tls} else connection.sendall(b"end")
assert connection.recv(4) == b"done"
print({megabytes} * len(data) / (time.perf_counter() - began) / 1e6)
"""

MEGABYTES = 256

# Name, unit, whether more is better, program.
PROGRAMS = {
    "requests, http": ("requests/s", True, REQUESTS.format(tls=False)),
    "requests, https": ("requests/s", True, REQUESTS.format(tls=True)),
    "asyncio streams, http": ("requests/s", True, STREAMS.format(tls=False)),
    "asyncio streams, https": ("requests/s", True, STREAMS.format(tls=True)),
    "connect": ("us", False, CONNECTS.format(tls=False, count=300)),
    "connect and TLS handshake": ("us", False, CONNECTS.format(tls=True, count=100)),
    "download": ("MB/s", True, DOWNLOAD.format(tls=False)),
    "download, TLS": ("MB/s", True, DOWNLOAD.format(tls=True)),
    "upload": ("MB/s", True, UPLOAD.format(tls=False, megabytes=MEGABYTES)),
    "upload, TLS": ("MB/s", True, UPLOAD.format(tls=True, megabytes=MEGABYTES)),
}

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nhello, world\n"


# ---- Server ----


def answer_requests(connection: socket.socket) -> None:
    rest = b""
    while data := connection.recv(65536):
        rest += data
        count = rest.count(b"\r\n\r\n")
        if count:
            rest = rest.rpartition(b"\r\n\r\n")[2]
            connection.sendall(ANSWER * count)


def send_much(connection: socket.socket) -> None:
    data = bytes(1 << 20)
    for _ in range(MEGABYTES):
        connection.sendall(data)


def take_much(connection: socket.socket) -> None:
    buffer = bytearray(1 << 20)
    last = b""
    while received := connection.recv_into(buffer):
        last = bytes(buffer[max(0, received - 3) : received])
        if last == b"end":
            break
    connection.sendall(b"done")


def serve(pem: str) -> None:
    """What the process of the server does: prints its ports and serves until its stdin ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    ports = {}
    for name, action in (("http", answer_requests), ("source", send_much), ("sink", take_much)):
        for tls in (None, context):
            listener = socket.create_server(("127.0.0.1", 0), backlog=512)
            key = "https" if tls and name == "http" else f"tls {name}" if tls else name
            ports[key] = listener.getsockname()[1]
            arguments = (listener, tls, action)
            threading.Thread(target=accept, args=arguments, daemon=True).start()
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


def accept(listener: socket.socket, tls: ssl.SSLContext | None, action: object) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=work, args=(connection, tls, action), daemon=True).start()


def work(connection: socket.socket, tls: ssl.SSLContext | None, action: object) -> None:
    assert callable(action)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            connection = tls.wrap_socket(connection, server_side=True)
        action(connection)
    except OSError:
        pass  # the client has gone
    finally:
        connection.close()


# ---- Measurement ----


def in_guest(program: str, authority: bytes) -> float:
    config = eryx.NetConfig(max_total_connections=None).allow_localhost()
    box = eryx.Sandbox(
        network=config.with_root_cert(authority),
        resource_limits=eryx.ResourceLimits(execution_timeout_ms=120_000),
    )
    return float(box.execute(program).stdout)


def in_native(program: str, command: list[str]) -> float:
    done = subprocess.run(
        [*command, "-"], input=program, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        sys.exit(f"the native CPython failed: {done.stderr}")
    return float(done.stdout)


def measure(names: list[str], rounds: int, native: list[str], start: str, der: bytes) -> None:
    for name in names:
        unit, more_is_better, code = PROGRAMS[name]
        program = start + PREFIX + code
        guest, other = [], []
        for _ in range(rounds):  # in turns, so that what else the machine does meets both
            guest.append(in_guest(program, der))
            if native:
                other.append(in_native(program, native))
        found = statistics.median(guest)
        text = f"{name:28} {found:10.1f} {unit:10}"
        if other:
            beside = statistics.median(other)
            ratio = beside / found if more_is_better else found / beside
            text += f"  native {beside:10.1f}  {ratio:5.2f} times the time"
        print(text, flush=True)


def native_command(given: str | None) -> list[str]:
    if given is not None:
        return shlex.split(given)
    found = shutil.which("python3.14")
    return [found] if found else []


def start_server(pem: Path) -> tuple[subprocess.Popen[str], IO[str], dict[str, int]]:
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(pem)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    return process, process.stdin, json.loads(process.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(
        description="What the network costs.",
        epilog="names: " + "; ".join(PROGRAMS),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--native", metavar="COMMAND")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", metavar="PEM", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    for name in options.names:
        if name not in PROGRAMS:
            parser.error(f"there is no {name!r}")
    print(f"{platform.platform(terse=True)}, {os.cpu_count()} cores, eryx {eryx.__version__}")
    authority = trustme.CA()
    pem = authority.cert_pem.bytes().decode()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "server.pem")
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(path))
        process, stdin, ports = start_server(path)
        start = textwrap.dedent(f"PORTS = {ports!r}\nAUTHORITY = {pem!r}\n")
        try:
            measure(
                options.names or list(PROGRAMS),
                options.rounds,
                native_command(options.native),
                start,
                ssl.PEM_cert_to_DER_cert(pem),
            )
        finally:
            stdin.close()
            process.wait(10)


if __name__ == "__main__":
    main()
