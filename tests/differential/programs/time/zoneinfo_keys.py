"""Keys of time zones that cannot be."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

for key in ("Mars/Base", "../etc/passwd", "/abs", "", "Nope"):
    try:
        print(ZoneInfo(key))
    except (ZoneInfoNotFoundError, ValueError) as error:
        print(type(error).__name__, error)
