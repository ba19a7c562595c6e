"""What keeps tenants, the host's files and the host's addresses apart, looked at from outside."""

from __future__ import annotations

import bisect
import os
import random
import re
import socket
import threading
from typing import TYPE_CHECKING

import pytest

import eryx
import guest_memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class TestMemoryThatIsUsedAgain:
    """Memory of one sandbox becomes that of another, of the same caller or of the next."""

    MARK = b"TENANT-A-SECRET-" + os.urandom(6).hex().encode()

    def programs(self) -> list[str]:
        half, other_half = self.MARK[:10].decode(), self.MARK[10:].decode()
        begin = f"m = {half!r} + {other_half!r}\n"
        return [
            begin + code
            for code in (
                "x = m * 400_000",
                "x = [m + str(i) for i in range(200_000)]",
                "open('/data/f', 'w').write(m * 100_000); open('/tmp/g', 'w').write(m)",
                "import os; x = bytearray(m.encode() * 100_000); os.abort()",
                "def f(n, a=m): return f(n + 1, a + m)\nf(0)",
                "x = m * 1000\nwhile True: pass",
            )
        ]

    @pytest.mark.parametrize("seed", range(3))
    def test_nothing_is_left(self, seed: int) -> None:
        chance = random.Random(seed)
        limits = eryx.ResourceLimits(execution_timeout_ms=200)
        factory = eryx.SandboxFactory(imports=["json"])
        programs = self.programs() * 2
        chance.shuffle(programs)
        for code in programs:
            kind = chance.choice(["sandbox", "factory", "session"])
            if kind == "session":
                self.use_session(code, limits, chance)
            else:
                make = eryx.Sandbox if kind == "sandbox" else factory.create_sandbox
                with pytest.raises(eryx.EryxError):
                    make(resource_limits=limits).execute(code + "\nraise ValueError")
        fresh = [eryx.Sandbox() for _ in range(3)] + [factory.create_sandbox() for _ in range(3)]
        assert guest_memory.find_in_guests(self.MARK) == []
        assert len(fresh) == 6

    @staticmethod
    def use_session(code: str, limits: eryx.ResourceLimits, chance: random.Random) -> None:
        with eryx.Session(resource_limits=limits) as session:
            before = session.checkpoint()
            try:
                session.execute(code)
                session.fork().close()
            except eryx.EryxError:
                pass
            if chance.random() < 0.5:
                session.rollback(before)
            else:
                session.reset()
            # What was put back is looked at while it is there.
            assert guest_memory.find_in_guests(TestMemoryThatIsUsedAgain.MARK) == []


class TestVolumesThatChange:
    def test_swaps_during_a_run(self, tmp_path: Path) -> None:
        """Directories become links that lead out, again and again, while a guest uses them."""
        volume, outside = tmp_path / "volume", tmp_path / "outside"
        (volume / "d").mkdir(parents=True)
        outside.mkdir()
        (volume / "d" / "f").write_text("inside")
        (outside / "f").write_text("OUTSIDE-SECRET")
        stop = threading.Event()
        swaps = 0

        def swap() -> None:
            nonlocal swaps
            while not stop.is_set():
                os.rename(volume / "d", tmp_path / "kept")
                os.symlink(outside, volume / "d")
                os.unlink(volume / "d")
                os.symlink(outside / "f", volume / "g")
                os.unlink(volume / "g")
                os.rename(tmp_path / "kept", volume / "d")
                swaps += 1

        code = """
import os, time
end = time.monotonic() + 2
seen = set()
calls = (
    lambda: open('/v/d/f').read(), lambda: open('/v/g').read(), lambda: os.listdir('/v/d'),
    lambda: open('/v/d/new', 'w').write('x'), lambda: os.link('/v/d/f', '/v/d/h'),
    lambda: os.unlink('/v/d/h'), lambda: os.stat('/v/d/f').st_size, lambda: os.mkdir('/v/d/sub'),
    lambda: os.rmdir('/v/d/sub'), lambda: os.rename('/v/d/new', '/v/d/new2'),
)
while time.monotonic() < end:
    for call in calls:
        try: seen.add(str(call()))
        except OSError: pass
print(seen)
"""
        sandbox = eryx.Sandbox(volumes=[(volume, "/v", False)])
        thread = threading.Thread(target=swap)
        thread.start()
        try:
            seen = sandbox.execute(code).stdout
        finally:
            stop.set()
            thread.join()
        assert "inside" in seen
        assert "OUTSIDE" not in seen
        assert swaps > 10
        assert os.listdir(outside) == ["f"]
        assert (outside / "f").read_text() == "OUTSIDE-SECRET"


def answer_once(server: socket.socket) -> None:
    client, _ = server.accept()
    client.sendall(b"hello")
    client.close()


def host_mappings() -> list[tuple[int, int]]:
    """What can be read; address space that is only reserved is most of all that there is."""
    with open("/proc/self/maps") as file:
        parts = [line.split()[:2] for line in file]
    places = [place.split("-") for place, rights in parts if rights.startswith("r")]
    return [(int(begin, 16), int(end, 16)) for begin, end in places]


_MOST_OF_A_GUEST = 128 << 20  # its limit of memory


def numbers_like_addresses(data: bytes) -> Iterator[int]:
    """Numbers of 64 bits at multiples of four that could be addresses of this process.

    Not those of which the lower half may be an address of the guest: that and a number of 15 bits
    beside it, which the image has thousands of, look like a place in an arena of malloc().
    """
    for match in re.finditer(rb"(?s)(?=(....[^\0][\x50-\x7f]\0\0))", data):
        if match.start() % 4 == 0 and int.from_bytes(match[1][:4], "little") >= _MOST_OF_A_GUEST:
            yield int.from_bytes(match[1], "little")


class TestAddresses:
    def test_none_of_the_host_in_a_guest(self) -> None:
        """After files, sockets, TLS, calls, waits and errors."""
        server = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=answer_once, args=(server,))
        thread.start()
        code = f"""
import os, socket, ssl, sqlite3, time
os.makedirs('/data/x'); open('/data/x/y', 'w').write('z' * 100_000)
os.listdir('/data/x'); os.stat('/data/x/y'); os.symlink('y', '/data/x/l'); os.readlink('/data/x/l')
s = socket.create_connection(('127.0.0.1', {server.getsockname()[1]})); s.recv(10); s.getsockname()
tls = ssl.create_default_context()
tls = tls.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname='localhost')
try: tls.do_handshake()
except ssl.SSLError: pass
try: socket.create_connection(('10.0.0.1', 1))
except OSError: pass
print(double.sync(value=2)); time.sleep(0.01); os.urandom(1000)
sqlite3.connect('/data/d.db').execute('create table t(x)')
"""
        session = eryx.Session(
            network=eryx.NetConfig().allow_localhost(),
            callbacks=[{"name": "double", "fn": lambda value: value * 2}],
        )
        assert session.execute(code).stdout == "4"
        thread.join()
        server.close()
        mappings = sorted(host_mappings())
        begins = [begin for begin, _ in mappings]
        ends = [0, *(end for _, end in mappings)]  # of the last that begins before, 0 for none
        one = next(begin for begin, _ in mappings if begin >> 40 in range(0x50, 0x80))
        assert list(numbers_like_addresses(b"1234" + (one | 0x7654_3210).to_bytes(8, "little")))
        found = [
            hex(number)
            for data in guest_memory.contents()
            for number in numbers_like_addresses(data)
            if number < ends[bisect.bisect(begins, number)]
        ]
        assert found == []
