"""inspect: signatures, bound arguments, kinds of callables, sources, members."""

import functools
import inspect


def f(a, b: int = 2, /, *args: str, c, d=4, **kw) -> bool:
    """Doc of f."""


class C:
    attr = 1

    def __init__(self, x, y=1): ...

    def method(self, q): ...

    @classmethod
    def cm(cls, w): ...

    @staticmethod
    def sm(v): ...

    @property
    def prop(self):
        """Property's doc."""

    async def co(self): ...

    def gen(self):
        yield


s = inspect.signature(f)
print(
    s,
    s.return_annotation,
    [(p.name, p.kind.description, p.default is p.empty) for p in s.parameters.values()],
    s.replace(return_annotation=int),
)
b = s.bind(1, 2, 3, c=4, z=5)
b.apply_defaults()
print(b.arguments, b.args, b.kwargs, s.bind_partial(1).arguments)
for each in (
    C,
    C.method,
    C(1).method,
    C.cm,
    C.sm,
    functools.partial(f, 1, c=3),
    len,
    lambda x, *, y: x,
    print,
    str.split,
    int,
    functools.wraps(f)(lambda: 1),
    type("D", (), {"__call__": lambda self, k: 1})(),
    dict.get,
    sorted,
    isinstance,
    range,
):
    try:
        print(inspect.signature(each))
    except (ValueError, TypeError) as error:
        print(type(error).__name__, str(error).split(" at 0x")[0])
print(
    [
        name
        for name in ("method", "cm", "sm", "prop", "co", "gen")
        if inspect.isfunction(getattr(C, name))
    ],
    inspect.iscoroutinefunction(C.co),
    inspect.isgeneratorfunction(C.gen),
    inspect.ismethod(C.cm),
    inspect.isclass(C),
    inspect.isbuiltin(len),
    inspect.isroutine(str.upper),
    inspect.isdatadescriptor(C.prop),
)
print(
    inspect.getdoc(f),
    inspect.getdoc(C.prop),
    inspect.getsource(C.cm),
    inspect.getsourcelines(f)[1],
    inspect.getfile(f),
    inspect.getmodule(f).__name__,
    inspect.cleandoc("  a\n    b\n  c"),
    inspect.getmro(bool),
    [m for m, _ in inspect.getmembers(C, inspect.isfunction)],
    inspect.unwrap(functools.wraps(f)(lambda: 1)) is f,
    inspect.getcallargs(f, 1, c=2),
    inspect.getfullargspec(f),
    inspect.getattr_static(C, "cm").__class__.__name__,
    inspect.classify_class_attrs(C)[-1].name,
    inspect.currentframe().f_lineno,
    inspect.formatannotation(list[int]),
    inspect.isabstract(C),
)


def outer():
    x = 1

    def inner():
        return x + len(f.__name__)

    return inner


print(inspect.getclosurevars(outer()), [(f2.function, f2.lineno) for f2 in inspect.stack()[:1]])
for attempt in (
    lambda: s.bind(),
    lambda: s.bind(1),
    lambda: s.bind(1, c=1, a=2),
    lambda: inspect.signature(5),
    lambda: inspect.getsource(len),
    lambda: inspect.Parameter("1x", inspect.Parameter.POSITIONAL_ONLY),
    lambda: inspect.Signature(
        [
            inspect.Parameter("a", inspect.Parameter.KEYWORD_ONLY),
            inspect.Parameter("b", inspect.Parameter.POSITIONAL_ONLY),
        ]
    ),
    lambda: inspect.getfile(5),
    lambda: inspect.signature(f).bind(1, 2, c=3, d=4).arguments["zz"],
    lambda: inspect.getsource(type("Gone", (), {})),
    lambda: inspect.getsource(eval("lambda: 1")),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
