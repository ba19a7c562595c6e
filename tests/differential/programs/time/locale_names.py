import calendar
import locale
import os


def ask(category, name):
    try:
        return locale.setlocale(category, name)
    except locale.Error as error:
        return f"Error: {error}"


for variable in ("LC_ALL", "LC_TIME", "LC_NUMERIC", "LANG"):
    os.environ.pop(variable, None)
for name in (
    "C",
    "POSIX",
    "C.UTF-8",
    "C.utf8",
    "c",
    "de_DE.UTF-8",
    "en_US",
    "C.latin1",
    "C;C",
    "x" * 300,
):
    print(name[:12], ask(locale.LC_ALL, name), ask(locale.LC_NUMERIC, name))
locale.setlocale(locale.LC_ALL, "C")
print(locale.getlocale(), locale.setlocale(locale.LC_ALL), locale.setlocale(locale.LC_TIME))
locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
print(locale.getlocale(), locale.getencoding())
for variable in ("LC_ALL", "LC_TIME", "LANG"):
    os.environ[variable] = "de_DE.UTF-8"
    print(variable, ask(locale.LC_ALL, ""), ask(locale.LC_TIME, ""))
    del os.environ[variable]
for wrong in (3, b"C", "a\0b", ("de_DE", "UTF-8"), ("C", "UTF-8")):
    try:
        print(ask(locale.LC_ALL, wrong))
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)
try:
    print(calendar.LocaleTextCalendar(locale="de_DE.UTF-8").formatmonth(2024, 3))
except locale.Error as error:
    print(error)
print(locale.format_string("%.2f", 1234.5, grouping=True))
