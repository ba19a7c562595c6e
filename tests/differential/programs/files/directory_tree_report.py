"""Walks a tree, sums sizes, finds duplicates, prints it like `tree`."""

import hashlib
import os
from collections import defaultdict
from pathlib import Path

for name, text in {
    "src/main.py": "print(1)\n",
    "src/lib/util.py": "x = 1\n",
    "src/lib/copy.py": "x = 1\n",
    "docs/a.md": "# A\n" * 10,
    "docs/empty.txt": "",
    "README": "hi",
}.items():
    Path("p", name).parent.mkdir(parents=True, exist_ok=True)
    Path("p", name).write_text(text)


def tree(path, prefix=""):
    entries = sorted(path.iterdir(), key=lambda e: (e.is_file(), e.name))
    for i, entry in enumerate(entries):
        last = i == len(entries) - 1
        print(
            prefix
            + ("└── " if last else "├── ")
            + entry.name
            + ("/" if entry.is_dir() else f" ({entry.stat().st_size})")
        )
        if entry.is_dir():
            tree(entry, prefix + ("    " if last else "│   "))


tree(Path("p"))
sizes, same = defaultdict(int), defaultdict(list)
for root, _, files in os.walk("p"):
    for name in files:
        path = os.path.join(root, name)
        sizes[os.path.splitext(name)[1] or "none"] += os.path.getsize(path)
        same[hashlib.sha256(open(path, "rb").read()).hexdigest()].append(path)
print(dict(sorted(sizes.items())), sorted(sorted(v) for v in same.values() if len(v) > 1))
print(
    sorted(str(p.relative_to("p")) for p in Path("p").rglob("*.py")),
    sum(f.stat().st_size for f in Path("p").rglob("*") if f.is_file()),
    os.path.commonpath(["p/src/main.py", "p/src/lib/util.py"]),
)
for path in sorted(Path("p").rglob("*"), reverse=True):
    path.rmdir() if path.is_dir() else path.unlink()
print(list(Path("p").iterdir()))
