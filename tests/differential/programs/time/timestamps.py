"""Epoch seconds, UTC and offsets, parsing of many forms, durations in words."""

import calendar
import re
import time
from datetime import UTC, datetime, timedelta, timezone

for stamp in (0, 1, 86399, 951782400, 1700000000.5, 2**31, -1, 4102444800):
    moment = datetime.fromtimestamp(stamp, UTC)
    print(
        stamp,
        moment.isoformat(),
        moment.timestamp() == stamp,
        calendar.timegm(moment.utctimetuple()),
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(stamp)),
    )
FORMS = (
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%d %H:%M",
    "%d.%m.%Y",
    "%b %d, %Y",
    "%m/%d/%y %I:%M %p",
    "%Y%m%d",
    "%d %B %Y",
)
for text in (
    "2024-02-29T10:00:00+02:00",
    "2024-02-29 10:00",
    "29.2.2024",
    "Feb 29, 2024",
    "02/29/24 11:30 PM",
    "20240229",
    "1 march 1999",
    "yesterday",
    "30.2.2024",
):
    for form in FORMS:
        try:
            print(text, "->", datetime.strptime(text, form).isoformat())
            break
        except ValueError:
            continue
    else:
        print(text, "-> unknown")


def words(seconds):
    parts = []
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        n, seconds = divmod(seconds, size)
        if n:
            parts.append(f"{n} {name}{'s' * (n > 1)}")
    return ", ".join(parts) or "now"


def parse(text):
    return timedelta(
        **{
            {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}[u]: int(n)
            for n, u in re.findall(r"(\d+)([dhms])", text)
        }
    )


print(
    [words(n) for n in (0, 1, 61, 3600, 90061, 172800)],
    [str(parse(t)) for t in ("1h30m", "2d", "45s", "1d2h3m4s")],
    datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=9))).astimezone(
        timezone(timedelta(hours=-8))
    ),
)
