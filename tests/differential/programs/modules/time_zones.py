"""zoneinfo: offsets, folds, gaps, keys that do not exist."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

for key in (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "UTC",
    "Pacific/Apia",
):
    zone = ZoneInfo(key)
    print(
        key,
        [datetime(2024, month, 1, 12, tzinfo=zone).isoformat() for month in (1, 7)],
        datetime(2024, 7, 1, tzinfo=zone).tzname(),
        datetime(2024, 7, 1, tzinfo=zone).dst(),
    )
berlin = ZoneInfo("Europe/Berlin")
fold = datetime(2024, 10, 27, 2, 30, tzinfo=berlin)
gap = datetime(2024, 3, 31, 2, 30, tzinfo=berlin)
print(
    fold.utcoffset(),
    fold.replace(fold=1).utcoffset(),
    fold.astimezone(UTC),
    fold.replace(fold=1).astimezone(UTC),
    gap.astimezone(UTC).astimezone(berlin),
    datetime(2024, 3, 30, 12, tzinfo=berlin) + timedelta(days=1),
    datetime(1900, 1, 1, tzinfo=berlin),
    datetime(2200, 7, 1, tzinfo=berlin).utcoffset(),
    datetime(1945, 6, 1, tzinfo=berlin).tzname(),
)
print(
    berlin,
    repr(berlin),
    berlin.key,
    ZoneInfo("Europe/Berlin") is berlin,
    ZoneInfo.no_cache("UTC") is ZoneInfo("UTC"),
    datetime(2024, 1, 1, 12, tzinfo=ZoneInfo("America/New_York")).astimezone(
        ZoneInfo("Asia/Tokyo")
    ),
)
for key in ("Mars/Base", "../etc/passwd", "/abs", "", "europe/berlin" * 0 + "Nope"):
    try:
        print(ZoneInfo(key))
    except (ZoneInfoNotFoundError, ValueError) as error:
        print(type(error).__name__, error)
