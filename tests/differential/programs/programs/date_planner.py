"""Working days, ages, recurring meetings, overlaps, ISO weeks, and next Friday the 13th."""

import calendar
from datetime import date, datetime, timedelta
from itertools import count, islice

HOLIDAYS = {date(2024, 1, 1), date(2024, 3, 29), date(2024, 4, 1), date(2024, 5, 1)}


def working_days(start, end):
    days = (start + timedelta(n) for n in range((end - start).days + 1))
    return [d for d in days if d.weekday() < 5 and d not in HOLIDAYS]


def add_months(day, n):
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    return day.replace(
        year=year, month=month + 1, day=min(day.day, calendar.monthrange(year, month + 1)[1])
    )


def age(born, on):
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


print(
    len(working_days(date(2024, 3, 25), date(2024, 4, 5))),
    working_days(date(2024, 3, 28), date(2024, 4, 2)),
)
print([str(add_months(date(2024, 1, 31), n)) for n in (1, 3, 13, -2)])
print(age(date(2000, 2, 29), date(2024, 2, 28)), age(date(2000, 2, 29), date(2024, 2, 29)))
thirteenths = (date(year, month, 13) for year in count(2024) for month in range(1, 13))
print([f"{d:%d.%m.%Y}" for d in islice((d for d in thirteenths if d.weekday() == 4), 4)])
meetings = [
    ("standup", "09:00", 15),
    ("review", "09:10", 60),
    ("lunch", "12:00", 45),
    ("call", "10:05", 120),
]
spans = sorted(
    (
        datetime.fromisoformat(f"2024-03-01 {at}"),
        datetime.fromisoformat(f"2024-03-01 {at}") + timedelta(minutes=n),
        name,
    )
    for name, at, n in meetings
)
for (s1, e1, n1), (s2, e2, n2) in zip(spans, spans[1:]):
    print(
        f"{n1} {'overlaps' if s2 < e1 else 'ends ' + str(s2 - e1) + ' before'} {n2}"
        + (f" by {e1 - s2}" if s2 < e1 else "")
    )
print(
    [date(y, 12, 31).isocalendar().week for y in range(2020, 2027)],
    sum(calendar.monthrange(2024, m)[1] for m in range(1, 13)),
)
third = [
    d
    for d in calendar.Calendar().itermonthdates(2024, 6)
    if d.month == 6 and d.weekday() == calendar.THURSDAY
][2]
print(
    third,
    (third - date(2024, 1, 1)) // timedelta(weeks=1),
    timedelta(days=400, hours=5) // timedelta(days=365),
)
