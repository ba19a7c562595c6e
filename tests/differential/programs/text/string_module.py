"""string.Template, Formatter, capwords and constants."""

import string
from string import Formatter, Template

t = Template("Dear $name, you owe $$${amount}; ${name}s $missing $")
print(t.safe_substitute(name="Ann", amount=5))
print(
    Template("$a-${b}c $_x").substitute({"a": 1}, b=2, _x=3),
    Template("$a ${b}").get_identifiers(),
    t.is_valid(),
)
for attempt in (
    lambda: t.substitute(name="x"),
    lambda: Template("$x").substitute(),
    lambda: Template("line\n  ${ bad").substitute(),
    lambda: Template("100%$").substitute({}),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)


class Percent(Template):
    delimiter = "%"
    idpattern = "[a-z]+"
    flags = 0


print(Percent("%who %%").substitute(who="me"))
print(list(Formatter().parse("a{b!r:>5}c{{d}}{}{e.f[0]:{w}}")))


class Upper(Formatter):
    def convert_field(self, value, conversion):
        if conversion == "u":
            return str(value).upper()
        return super().convert_field(value, conversion)

    def get_value(self, key, args, kwargs):
        if isinstance(key, str):
            return kwargs.get(key, f"<{key}?>")
        return super().get_value(key, args, kwargs)


f = Upper()
print(f.format("{0} {name!u} {other} {1:>4}", "a", 2, name="bob"), f.vformat("{}{}", (1, 2), {}))
print(string.capwords("hello  wORLD-of python"), string.capwords("a-b-c", "-"))
for name in (
    "ascii_letters",
    "digits",
    "hexdigits",
    "octdigits",
    "punctuation",
    "whitespace",
    "printable",
):
    print(name, repr(getattr(string, name)))
for attempt in (
    lambda: f.format("{0} {2}", 1),
    lambda: Formatter().format("{} {0}", 1),
    lambda: Formatter().format("{x}"),
    lambda: Formatter().format("{!z}", 1),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
