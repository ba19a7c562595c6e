"""shelve and dbm over SQLite or the plain-text kind; wave and plist files."""

import dbm.dumb
import plistlib
import shelve
import wave

with dbm.dumb.open("plain", "c") as db:
    db["key"] = b"value"
    db[b"two"] = "text"
    print(sorted(db.keys()), db["key"], db.get("none"), "two" in db, len(db))
with shelve.Shelf(dbm.dumb.open("shelf", "n"), writeback=True) as s:
    s["list"] = [1, 2]
    s["list"].append(3)
    s["obj"] = {"a": (1, None)}
with shelve.Shelf(dbm.dumb.open("shelf")) as s:
    print(s["list"], s["obj"], sorted(s), "zz" in s, s.get("zz", 0))
try:
    s["list"]
except ValueError as error:
    print(error)
with wave.open("t.wav", "wb") as w:
    w.setnchannels(1)
    w.setsampwidth(2)
    w.setframerate(8000)
    w.writeframes(b"\x00\x01" * 100)
with wave.open("t.wav") as w:
    print(w.getparams(), w.readframes(2), w.tell())
try:
    wave.open("plain.dat")
except (wave.Error, EOFError) as error:
    print(type(error).__name__, error)
import datetime

data = {
    "s": "text <&>",
    "i": 5,
    "f": 1.5,
    "t": True,
    "b": b"bytes",
    "l": [1, "a"],
    "d": datetime.datetime(2024, 1, 2, 3, 4, 5),
    "n": {"k": -1},
}
text = plistlib.dumps(data)
print(
    text.decode(),
    plistlib.loads(text) == data,
    plistlib.loads(plistlib.dumps(data, fmt=plistlib.FMT_BINARY)) == data,
    plistlib.loads(plistlib.dumps({"u": plistlib.UID(3)}, fmt=plistlib.FMT_BINARY)),
)
for attempt in (
    lambda: plistlib.dumps({"a": None}),
    lambda: plistlib.dumps({1: 2}),
    lambda: plistlib.loads(b"junk"),
    lambda: plistlib.loads(b"<plist><dict><key>a</key></dict></plist>"),
    lambda: plistlib.dumps(2**70),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
