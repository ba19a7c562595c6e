"""Days between dates, weekdays, ages, ends of months."""

import calendar
from datetime import date, timedelta

a, b = date(2024, 2, 28), date(2024, 3, 1)
print(
    (b - a).days,
    a + timedelta(1),
    b - timedelta(weeks=52),
    a.strftime("%A"),
    [calendar.monthrange(2023, m)[1] for m in range(1, 13)],
    (date(2000, 1, 1) + timedelta(10000)).isoformat(),
    date.fromisoformat("2024-02-29").timetuple().tm_yday,
    max(a, b),
    sorted([b, a])[0] == a,
    a.replace(day=29),
    date(2024, 1, 1).isocalendar()[:2],
    date(2021, 1, 1).isocalendar()[:2],
)
