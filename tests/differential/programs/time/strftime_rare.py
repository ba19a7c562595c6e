"""Forms of strftime that glibc has and others have not."""

from datetime import datetime

d = datetime(2024, 3, 1, 15, 4, 5)
for form in (
    "%Y-%m-%d %I:%M %P",
    "%l:%M %p",
    "%^B %Y",
    "done: 100%",
    "%k",
    "%-d.%-m.",
    "%-H",
    "%_d",
    "%0e",
    "%#Z",
    "%E",
    "%Od",
    "%5Y",
    "%Q",
    "%",
    "%%%",
    "%-I:%M%p",
    "%^a %^b",
    "%+",
):
    print(repr(form), repr(d.strftime(form)))
