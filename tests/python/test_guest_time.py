"""Time, locale and clocks as a guest sees them; what is expected is what CPython says on Linux."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import eryx

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[str], eryx.ExecuteResult]

# Of 2024-03-01 15:04:05, by the GNU C library.
FORMATS = {
    "%Y-%m-%d %I:%M %P": "2024-03-01 03:04 pm",
    "%l:%M %p": " 3:04 PM",
    "%k %e %s": "15  1 1709305445",
    "%^B %Y": "MARCH 2024",
    "%^a %#a %#A %#b %^h": "FRI FRI FRIDAY MAR MAR",
    "%#p %^P %#P %5P": "pm pm pm    pm",
    "%-d %_d %0e %-e %#d": "1  1 01 1 01",
    "%-j %_j %5j %-I %_H %0l %-l": "61  61 00061 3 15 03 3",
    "%_m %-M %_S %-y %_C": " 3 4  5 24 20",
    "%10Y %3d %_5d %-5d %05d %20s": "0000002024 001     1     1 00001           1709305445",
    "%10a|%^10a|%010B|%012D": "       Fri|       FRI|00000March|000003/01/24",
    "%c": "Fri Mar  1 15:04:05 2024",
    "%^c": "FRI MAR  1 15:04:05 2024",
    "%x %X %D %T %R %r %F": "03/01/24 15:04:05 03/01/24 15:04:05 15:04 03:04:05 PM 2024-03-01",
    "%G %g %V %U %W %u %w": "2024 24 09 08 09 5 5",
    "%Ey %EY %EC %Ec %Ex %EX": "24 2024 20 Fri Mar  1 15:04:05 2024 03/01/24 15:04:05",
    "%Od %OH %Om %Oy %OB %Oe %Ob": "01 15 03 24 March  1 Mar",
    # What is no conversion stands for itself.
    "done: 100%": "done: 100%",
    "%": "%",
    "%% %%%": "% %%",
    "%5%|%-%|%^%": "    %|%|%",
    "%Q %N %o %J %+ %v %1": "%Q %N %o %J %+ %v %1",
    "%E %O %Ed %OY %Oa %Eb": "%E %O %Ed %OY %Oa %Eb",
    "%5": "   %5",
    "%10q %^q": "      %10q %^Q",
    "%+Y %L5d %-": "%+Y %L5d %-",
    "\u00e9%\u00e9%d\u00e9": "\u00e9%\u00e901\u00e9",
    "a%n%tb": "a\n\tb",
    "": "",
}

# By year: of the first of March.
YEARS = {
    -12345: "-12345 -124 55 -12345 -12345-03-01",
    -5: "-5 -1 95 -5 -5-03-01",
    0: "0 0 00 0 0-03-01",
    99: "99 0 99 99 99-03-01",
    12345: "12345 123 45 12345 12345-03-01",
}


class TestFormats:
    def test_as_the_gnu_c_library(self, sandbox: eryx.Sandbox) -> None:
        result = sandbox.execute(f"""
import time
from datetime import datetime
formats = {list(FORMATS)!r}
moment = datetime(2024, 3, 1, 15, 4, 5)
result = [[moment.strftime(f), time.strftime(f, moment.timetuple())] for f in formats]
""")
        for (form, expected), found in zip(FORMATS.items(), result.result, strict=True):
            assert (form, found) == (form, [expected, expected])

    def test_years_of_any_size(self, sandbox: eryx.Sandbox) -> None:
        result = sandbox.execute(f"""
import time
years = {list(YEARS)}
result = [time.strftime("%Y %C %y %G %F", (year, 3, 1, 15, 4, 5, 4, 61, 0)) for year in years]
""")
        assert dict(zip(YEARS, result.result, strict=True)) == YEARS

    def test_weeks_of_all_years(self, run: Run) -> None:
        result = run(
            """
            from datetime import date, timedelta
            wrong = []
            for year in range(1890, 2110):
                for day in (1, 2, 3, 4, 5, 6, 7, 8, 362, 363, 364, 365, 366):
                    moment = date(year, 1, 1) + timedelta(day - 1)
                    iso_year, week, weekday = moment.isocalendar()
                    if moment.strftime("%G-%V-%u") != f"{iso_year:04}-{week:02}-{weekday}":
                        wrong.append(moment)
            print(wrong)
            """
        )
        assert result.stdout == "[]"

    def test_zones(self, run: Run) -> None:
        result = run(
            """
            import time
            from datetime import datetime, timedelta, timezone
            day = 2024, 3, 1, 0, 0, 0, 4, 61
            print(time.strftime("%Z %z", time.localtime(0)), time.strftime("%Z%z|", (*day, -1)))
            print(time.strftime("%#Z %_z %-z", (*day, 0)))
            print(datetime(2024, 3, 1, tzinfo=timezone(timedelta(hours=-5))).strftime("%Z %z %:z"))
            """
        )
        assert result.stdout.splitlines() == [
            "UTC +0000 |",
            "UTC +   0 +0",
            "UTC-05:00 -0500 -05:00",
        ]

    def test_a_wide_field(self, run: Run) -> None:
        assert run("import time; print(len(time.strftime('%1000d')))").stdout == "1000"
        result = run(
            """
            import time
            print(repr(time.strftime("%2000000000d")))
            """
        )
        assert result.stdout == "''"


class TestLocale:
    def test_unknown_names_are_refused(self, run: Run) -> None:
        result = run(
            """
            import calendar, locale, os
            def set(category, name):
                try: return locale.setlocale(category, name)
                except locale.Error as error: return str(error)
            refused = ["de_DE.UTF-8", "en_US.utf8", "c", "C.latin1", "x" * 300, "C;C", "../C"]
            refused.append(("de_DE", "UTF-8"))
            categories = locale.LC_ALL, locale.LC_TIME
            print({set(category, name) for name in refused for category in categories})
            print([set(locale.LC_ALL, name) for name in ("C.UTF-8", "", ("C", "UTF-8"))])
            for variable in ("LC_ALL", "LC_TIME", "LANG"):
                os.environ[variable] = "de_DE.UTF-8"
                categories = locale.LC_TIME, locale.LC_ALL, locale.LC_NUMERIC
                print(*(set(category, "") for category in categories), sep=" | ")
                del os.environ[variable]
            try:
                calendar.LocaleTextCalendar(locale="de_DE.UTF-8").formatmonth(2024, 3)
            except locale.Error as error:
                print(error)
            """
        )
        no = "unsupported locale setting"
        assert result.stdout.splitlines() == [
            f"{{{no!r}}}",
            "['C.UTF-8', 'C.UTF-8', 'C.UTF-8']",
            f"{no} | {no} | {no}",
            f"{no} | {no} | C.UTF-8",
            f"{no} | {no} | {no}",
            no,
        ]

    def test_what_is_set_can_be_set_again(self, run: Run) -> None:
        result = run(
            """
            import locale
            print(locale.getlocale(), locale.getencoding(), locale.getpreferredencoding())
            before = locale.setlocale(locale.LC_ALL)
            locale.setlocale(locale.LC_ALL, "C")
            print(locale.setlocale(locale.LC_ALL), locale.getlocale())
            print(locale.setlocale(locale.LC_ALL, before) == before, locale.getlocale())
            for wrong in (3, b"C", "a\\0b"):
                try:
                    locale.setlocale(locale.LC_ALL, wrong)
                except (TypeError, ValueError) as error:
                    print(type(error).__name__)
            """
        )
        assert result.stdout.splitlines() == [
            "('C', 'UTF-8') UTF-8 utf-8",
            "C (None, None)",
            "True ('C', 'UTF-8')",
            *("TypeError", "TypeError", "ValueError"),
        ]


WORK = """
import os, time
def work():
    start = time.process_time()
    while time.process_time() - start < 0.05:
        pass
"""


class TestProcessorTime:
    def test_does_not_run_in_sleep(self, run: Run) -> None:
        result = run(
            """
            import os, time
            before = time.process_time(), os.times(), time.thread_time()
            time.sleep(0.3)
            after = time.process_time(), os.times(), time.thread_time()
            print(after[0] - before[0] < 0.25, after[1].user - before[1].user < 0.25)
            print(after[2] - before[2] < 0.25, after[1].elapsed - before[1].elapsed >= 0.29)
            """
        )
        assert result.stdout == "True True\nTrue True"

    def test_begins_with_the_program(self, sandbox: eryx.Sandbox) -> None:
        code = "import os, time; result = [time.process_time(), os.times().user, os.times().system]"
        for _ in range(2):
            times = sandbox.execute(code).result
            assert all(0 <= value < 5 for value in times)

    def test_what_came_before_the_first_look_counts(self, run: Run) -> None:
        result = run(
            """
            import time
            end = time.monotonic() + 0.1
            while time.monotonic() < end:
                pass
            time.sleep(0.05)
            print(time.process_time() >= 0.09)
            """
        )
        assert result.stdout == "True"

    def test_is_in_seconds(self, sandbox: eryx.Sandbox) -> None:
        result = sandbox.execute(
            WORK + "work(); times = os.times(); result = [*times[:4], time.process_time()]"
        )
        user, system, children_user, children_system, process = result.result
        assert process >= 0.05
        assert abs(user - process) < 0.1
        assert (system, children_user, children_system) == (0, 0, 0)
        assert process <= result.duration_ms / 1000 + 0.05

    def test_goes_on_in_a_session(self) -> None:
        with eryx.Session() as session:
            session.execute(WORK + "work(); first = time.process_time()")
            session.execute("time.sleep(0.05)")
            session.execute("second = time.process_time(); work(); third = time.process_time()")
            assert session.execute(
                "print(0.05 <= first <= second, third - second >= 0.05)"
            ).stdout == ("True True")
            session.reset()
            assert session.execute("import time; print(time.process_time() < 5)").stdout == "True"

    def test_with_a_limit_for_it(self) -> None:
        limits = eryx.ResourceLimits(cpu_timeout_ms=10_000)
        sandbox = eryx.Sandbox(resource_limits=limits)
        assert sandbox.execute(WORK + "work(); print(time.process_time() < 5)").stdout == "True"


def test_standard_input_keeps_carriage_returns(sandbox: eryx.Sandbox) -> None:
    data = b"a\rb\r\nc\n\rd"
    assert (
        sandbox.execute("import sys; result = sys.stdin.read()", stdin=data).result == data.decode()
    )
    lines = "import sys; result = sys.stdin.readlines()"
    assert sandbox.execute(lines, stdin=data).result == ["a\rb\r\n", "c\n", "\rd"]
    raw = "import sys; result = sys.stdin.buffer.read().decode()"
    assert sandbox.execute(raw, stdin=data).result == data.decode()
    asked = textwrap.dedent("""
        result = [input(), input(), input()]
    """)
    assert sandbox.execute(asked, stdin=data).result == ["a\rb\r", "c", "\rd"]
