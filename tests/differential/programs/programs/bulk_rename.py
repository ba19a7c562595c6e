"""Renames files by patterns, with a dry run, conflicts and an undo log."""

import json
import re
from pathlib import Path

folder = Path("photos")
folder.mkdir()
for name in ("IMG_001.JPG", "IMG_2.jpeg", "img-003.png", "notes.txt", "IMG_0003.png"):
    (folder / name).write_text(name)


def plan(folder):
    for path in sorted(folder.iterdir()):
        if m := re.fullmatch(r"img[_-](\d+)\.(jpe?g|png)", path.name, re.I):
            suffix = m[2].lower().replace("jpeg", "jpg")
            yield path, path.with_name(f"photo-{int(m[1]):03}.{suffix}")


def rename(folder, dry=True):
    done = []
    for old, new in plan(folder):
        if new.exists() or any(n == new.name for _, n in done):
            print(f"conflict: {old.name} -> {new.name}")
            continue
        print(f"{'would ' if dry else ''}rename {old.name} -> {new.name}")
        if not dry:
            old.rename(new)
        done.append((old.name, new.name))
    return done


rename(folder)
log = folder / "undo.json"
log.write_text(json.dumps(rename(folder, dry=False)))
print(sorted(p.name for p in folder.iterdir()))
for old, new in reversed(json.loads(log.read_text())):
    (folder / new).rename(folder / old)
log.unlink()
print(sorted(p.name for p in folder.iterdir()), (folder / "IMG_001.JPG").read_text())
(folder / "none").rename(folder / "x") if (folder / "none").exists() else print("nothing to do")
