"""calendar: months, years, weekdays, HTML, ranges."""

import calendar

print(calendar.month(2024, 2), calendar.TextCalendar(6).formatmonth(2023, 10, w=3))
print(calendar.calendar(2024, m=4)[:300])
print(
    calendar.monthrange(2024, 2),
    calendar.isleap(1900),
    calendar.leapdays(2000, 2025),
    calendar.weekday(2024, 3, 1),
    calendar.monthcalendar(2024, 9),
    list(calendar.Calendar(6).itermonthdays2(2024, 2))[:5],
    [str(d) for d in calendar.Calendar().itermonthdates(2024, 2)][:3],
    list(calendar.day_name),
    list(calendar.month_abbr),
    calendar.timegm((2024, 1, 1, 0, 0, 0)),
    calendar.Month.MAY,
    calendar.MONDAY,
    calendar.Day(3),
)
print(
    calendar.HTMLCalendar().formatmonth(2024, 2)[:300],
    calendar.firstweekday(),
    calendar.standalone_month_name[3] if hasattr(calendar, "standalone_month_name") else "",
)
for attempt in (
    lambda: calendar.monthrange(2024, 13),
    lambda: calendar.setfirstweekday(9),
    lambda: calendar.month(2024, 0),
    lambda: calendar.weekday(2024, 2, 30),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
