"""tokenize, keyword, symtable, code objects, compile flags."""

import io
import keyword
import symtable
import token
import tokenize

SOURCE = "def f(a):\n    # note\n    x = f\"{a!r:>5} {{}}\" + 's'\n\n    return (x,\n            1_0.5j) @ a  # end\n"
for t in tokenize.generate_tokens(io.StringIO(SOURCE).readline):
    print(token.tok_name[t.exact_type], repr(t.string), t.start, t.end)
print(
    tokenize.untokenize(tokenize.generate_tokens(io.StringIO(SOURCE).readline)) == SOURCE,
    tokenize.detect_encoding(io.BytesIO(b"# -*- coding: latin-1 -*-\n").readline),
    tokenize.detect_encoding(io.BytesIO(b"\xef\xbb\xbfx").readline),
)
for bad in ("(", "'''x", "  a\n b", "'x", "a = $", "1x"):
    try:
        print(repr(bad), [t.string for t in tokenize.generate_tokens(io.StringIO(bad).readline)])
    except (tokenize.TokenError, SyntaxError) as error:
        print(repr(bad), type(error).__name__, error)
print(keyword.kwlist, keyword.softkwlist, keyword.iskeyword("match"))
top = symtable.symtable(
    "x = 1\ndef f(a):\n    global g\n    y = x\n    def h():\n        nonlocal y\n        return [z for z in a]\n    return h\nclass C:\n    def m(self): __class__",
    "s.py",
    "exec",
)


def show(table, depth=0):
    print(
        " " * depth,
        table.get_type(),
        table.get_name(),
        [
            (
                s.get_name(),
                s.is_global(),
                s.is_local(),
                s.is_free(),
                s.is_parameter(),
                s.is_assigned(),
            )
            for s in sorted(table.get_symbols(), key=lambda s: s.get_name())
        ],
    )
    for child in table.get_children():
        show(child, depth + 1)


show(top)
code = compile("def f(a, *b, c, **d):\n    x = 1\n    return lambda: x", "c.py", "exec")
inner = next(c for c in code.co_consts if hasattr(c, "co_name"))
print(
    code.co_name,
    inner.co_argcount,
    inner.co_kwonlyargcount,
    inner.co_varnames,
    inner.co_cellvars,
    inner.co_firstlineno,
    inner.co_flags & 0xC,
    inner.co_qualname,
    inner.co_filename,
    list(inner.co_lines())[0][2],
    inner.replace(co_name="g").co_name,
)
print(
    eval(compile("1 + 2", "", "eval")),
    exec(compile("y = 5", "", "single")),
    y,
    eval("x + 1", {"x": 4}),
    eval("[a for a in b]", {}, {"b": [1]}),
)
for attempt in (
    lambda: compile("x", "", "zz"),
    lambda: compile("x\0y", "", "exec"),
    lambda: eval("x = 1"),
    lambda: eval(5),
    lambda: exec(5),
    lambda: eval("1", 5),
    lambda: compile(5, "", "exec"),
    lambda: eval(""),
    lambda: exec("x", {}),
    lambda: eval("(" * 100 + ")" * 100),
    lambda: compile("a\nb", "", "eval"),
    lambda: compile("a;b", "", "single"),
    lambda: exec("x = 1", None, 5),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
