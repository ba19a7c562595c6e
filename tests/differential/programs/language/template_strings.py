"""PEP 750: t-strings, their parts, conversions and errors."""

from string.templatelib import Interpolation, Template, convert


def html(template):
    out = []
    for part in template:
        if isinstance(part, str):
            out.append(part)
            continue
        value = convert(part.value, part.conversion)
        text = format(value, part.format_spec)
        out.append(text.replace("&", "&amp;").replace("<", "&lt;"))
    return "".join(out)


name = "<Ann & Bob>"
price = 12.5
t = t"Hi {name}, pay {price:>8.2f} or {name!r:.6} {{literal}}"
print(html(t))
print(t.strings, t.values)
for each in t.interpolations:
    print(each.value, each.expression, each.conversion, repr(each.format_spec))
print(repr(t"a{1}b"), t"".strings, t"{1}{2}".strings)
print(type(t), (t"x{1}" + t"{2}y").strings)
width = 10
nested = t"{price:{width}.1f}"
print(repr(nested.interpolations[0].format_spec))
print(t"{price = }".strings, t"{price=}".interpolations[0].conversion)
print(rt"\n{name}".strings)
print(repr(Interpolation(3, "x", "r", ">4")))
print(Template("a", "b", Interpolation(1), Interpolation(2), "c").strings)
match t"{name!s}":
    case Template(interpolations=(Interpolation(value, expression, conversion),)):
        print(value, expression, conversion)
for attempt in (
    lambda: t"a" + "b",
    lambda: "b" + t"a",
    lambda: Template(1),
    lambda: Interpolation(1, "x", "q"),
    lambda: convert(1, "z"),
    lambda: setattr(t"a", "strings", ()),
    lambda: str(t"{1 / 0}"),
    lambda: t"a".join(["x"]),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
for source in (
    't"{"',
    't"{}"',
    't"}"',
    't"{a b}"',
    'bt"x"',
    'ft"x"',
    't"a" "b"',
    't"{x!z}"',
    't"{x:"',
):
    try:
        compile(source, "p.py", "eval")
        print("compiles")
    except SyntaxError as error:
        print(error.msg)
