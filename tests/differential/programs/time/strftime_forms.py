"""The forms of strftime that everybody uses, and strptime back."""

from datetime import date, datetime, time, timedelta, timezone

moments = [
    datetime(2024, 2, 29, 0, 5, 9, 7),
    datetime(1999, 12, 31, 23, 59, 59, 999999),
    datetime(2001, 1, 1, 12),
    datetime(1987, 6, 5, 4),
]
for form in (
    "%Y-%m-%d",
    "%d/%m/%y",
    "%B %d, %Y",
    "%b %d",
    "%I:%M %p",
    "%H:%M:%S.%f",
    "%A",
    "%a %j",
    "%U %W %V %G %u %w",
    "%x",
    "%X",
    "%c",
    "%D %T %R",
    "%e|%n|%t|%%",
    "%y%m%d",
    "%C",
    "%h",
    "text only",
    "%Y年%m月%d日",
    "é %d",
):
    print(form, [m.strftime(form) for m in moments])
print(
    date(2024, 3, 1).strftime("%A %d. %B"),
    time(7, 8, 9).strftime("%H-%M-%S %p"),
    f"{datetime(2024, 1, 2):%d.%m.%Y %H Uhr}",
    format(date(2024, 1, 2), "%j"),
    datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=-3, minutes=-30))).strftime("%z|%Z|%:z"),
    datetime(2024, 1, 1).strftime("%z|%Z|"),
    datetime(2024, 1, 1).strftime(""),
)
for m in moments[:3]:
    for form in ("%Y-%m-%d %H:%M:%S.%f", "%d %b %y %I:%M:%S %p", "%A, %B %d %Y"):
        print(datetime.strptime(m.strftime(form), form))
