"""setlocale takes C and what the system has; formatting without a locale."""

import locale

print(
    locale.setlocale(locale.LC_ALL, "C"),
    locale.localeconv()["decimal_point"],
    locale.format_string("%.2f %d", (1234.5, 1000), grouping=True),
    locale.atof("1.5"),
    locale.str(1.5),
    locale.strcoll("a", "b") < 0,
    locale.strxfrm("a"),
    locale.normalize("de_DE"),
)
for name in ("de_DE.UTF-8", "nonsense", "xx_XX"):
    try:
        print(locale.setlocale(locale.LC_ALL, name))
    except locale.Error as error:
        print(error)
