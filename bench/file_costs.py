"""What single file operations cost at their worst, as a guest measures them.

Each case builds what makes its operation as slow as a guest can make it, does it some times, and
prints median and longest: while the host is at one, nobody can stop the guest. Nothing fails here;
on a machine that is busy the longest is that of the scheduler.

    python bench/file_costs.py [--max-vfs-bytes BYTES] [--max-vfs-entries N]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile

import eryx

PRELUDE = """
import os, time

def measure(function, *arguments):
    begin = time.perf_counter()
    try:
        function(*arguments)
    except OSError:
        pass
    return (time.perf_counter() - begin) * 1e3

times = []
BASE = {base!r}
SIZE = {size}
ENTRIES = {entries}
os.makedirs(BASE, exist_ok=True)
os.chdir(BASE)

def links(unit="a/../"):
    os.mkdir("a")
    last = "a"
    for i in range(39):
        os.symlink(unit * ((4096 - len(last)) // len(unit)) + last, f"/data/l{{i}}")
        last = f"../data/l{{i}}"
    return last

def fill(name, size=None):
    fd = os.open(name, os.O_RDWR | os.O_CREAT)
    left = SIZE if size is None else size
    block = b"x" * (1 << 20)
    while left > 0:
        left -= os.write(fd, block[: min(left, len(block))])
    return fd
"""

# Name, directory, and a program that appends to times.
CASES = {
    ("stat along 39 links", "/data"): """
path = '/data/' + links()
for i in range(20): times.append(measure(os.stat, path))
""",
    ("stat along as many as are allowed", "/data"): """
links()
for i in range(20): times.append(measure(os.stat, '/data/l1'))
""",
    ("rename, both along 39 links", "/data"): """
path = '/data/' + links() + '/../a'
for i in range(20): times.append(measure(os.rename, path, path))
""",
    ("rename, both along as many as are allowed", "/data"): """
links()
for i in range(20): times.append(measure(os.rename, '/data/l1/../a', '/data/l1/../a'))
""",
    ("write of 60 MB", "/data"): """
block = b'x' * SIZE
for i in range(9):
    fd = os.open('f', os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    times.append(measure(os.write, fd, block)); os.close(fd)
""",
    ("read of 60 MB", "/data"): """
fd = fill('f')
for i in range(9): os.lseek(fd, 0, 0); times.append(measure(os.read, fd, SIZE))
""",
    ("read of a random device", "/data"): """
fd = os.open('/dev/urandom', os.O_RDONLY)
for i in range(9): times.append(measure(os.read, fd, 1 << 20))
""",
    ("truncation of 60 MB", "/data"): """
for i in range(9): fd = fill('f'); times.append(measure(os.ftruncate, fd, 0)); os.close(fd)
""",
    ("truncation of 60 MB to a half", "/data"): """
for i in range(9):
    fd = fill('f'); times.append(measure(os.ftruncate, fd, SIZE // 2)); os.close(fd)
""",
    ("open that truncates 60 MB", "/data"): """
for i in range(9):
    os.close(fill('f')); times.append(measure(os.open, 'f', os.O_WRONLY | os.O_TRUNC))
""",
    ("unlink of 60 MB", "/data"): """
for i in range(9): os.close(fill('f')); times.append(measure(os.unlink, 'f'))
""",
    ("close of 60 MB without a name", "/data"): """
for i in range(9): fd = fill('f'); os.unlink('f'); times.append(measure(os.close, fd))
""",
    ("rename over 60 MB", "/data"): """
for i in range(9):
    os.close(fill('f')); open('g', 'w').close(); times.append(measure(os.rename, 'g', 'f'))
""",
    ("write of a byte at 60 MB", "/data"): """
for i in range(9):
    fd = os.open('f', os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    times.append(measure(os.pwrite, fd, b'x', SIZE - 1)); os.close(fd)
""",
    ("new name in a large directory", "/data"): """
for i in range(ENTRIES): times.append(measure(os.symlink, 'x', f'n{i}'))
""",
    ("unlink in a large directory", "/data"): """
for i in range(ENTRIES): os.symlink('x', f'n{i}')
for i in range(ENTRIES): times.append(measure(os.unlink, f'n{i}'))
""",
    ("first entry of a sparse directory", "/data"): """
for i in range(ENTRIES): os.symlink('x', f'n{i}')
for i in range(ENTRIES * 3 // 4 - 10): os.unlink(f'n{i}')
for i in range(9): listed = os.scandir('.'); times.append(measure(next, listed))
""",
    ("symlink and readlink of 4 KB", "/data"): """
for i in range(100):
    times.append(measure(os.symlink, 'é' * 2048, f'l{i}'))
    times.append(measure(os.readlink, f'l{i}'))
""",
    ("fsync of 60 MB", "/data"): """
fd = fill('f')
for i in range(9): times.append(measure(os.fsync, fd))
""",
    ("volume: stat along 39 links", "/v"): """
path = links('../v/a/../')
for i in range(9): times.append(measure(os.stat, path))
""",
    ("volume: stat of a long path", "/v"): """
os.mkdir('a')
for i in range(9): times.append(measure(os.stat, 'a/../' * 800 + 'a'))
""",
    ("volume: rename, two long paths", "/v"): """
os.mkdir('a')
for i in range(9): times.append(measure(os.rename, 'a/../' * 238 + 'a', 'a/../' * 800 + 'a'))
""",
    ("volume: write of 60 MB", "/v"): """
block = b'x' * SIZE
for i in range(9):
    fd = os.open('f', os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    times.append(measure(os.write, fd, block)); os.close(fd)
""",
    ("volume: read of 60 MB", "/v"): """
fd = fill('f')
for i in range(9): os.lseek(fd, 0, 0); times.append(measure(os.read, fd, SIZE))
""",
    ("volume: truncation of 60 MB", "/v"): """
for i in range(9): fd = fill('f'); times.append(measure(os.ftruncate, fd, 0)); os.close(fd)
""",
    ("volume: unlink of 60 MB", "/v"): """
for i in range(9): os.close(fill('f')); times.append(measure(os.unlink, 'f'))
""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-vfs-bytes", type=int, default=64 << 20)
    parser.add_argument("--max-vfs-entries", type=int, default=16_384)
    parser.add_argument("--case", default="", help="only those with this in their names")
    options = parser.parse_args()
    limits = eryx.ResourceLimits(
        execution_timeout_ms=None,
        max_memory_bytes=1 << 30,
        max_vfs_bytes=options.max_vfs_bytes,
        max_vfs_entries=options.max_vfs_entries,
    )
    print(f"{'operation':42} {'median':>9} {'longest':>9}  (ms)")
    for (name, base), code in CASES.items():
        if options.case not in name:
            continue
        with tempfile.TemporaryDirectory() as host:
            sandbox = eryx.Sandbox(volumes=[(host, "/v", False)], resource_limits=limits)
            prelude = PRELUDE.format(
                base=base,
                size=min(options.max_vfs_bytes - (4 << 20), 200 << 20),
                entries=options.max_vfs_entries - 50,
            )
            times = sandbox.execute(f"{prelude}{code}result = times").result
            print(f"{name:42} {statistics.median(times):9.3f} {max(times):9.3f}")


if __name__ == "__main__":
    main()
