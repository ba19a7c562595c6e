"""Plugins that register by decorator and by subclass, with versions and lazy creation."""

import abc
import functools
import inspect


class Registry:
    def __init__(self):
        self._makers = {}

    def register(self, name=None, *, version=1):
        def decorate(maker):
            key = name or maker.__name__.lower()
            if version <= self._makers.get(key, (0, None))[0]:
                raise LookupError(f"{key} has version {self._makers[key][0]} already")
            self._makers[key] = version, maker
            return maker

        return decorate

    @functools.cache
    def get(self, key):
        try:
            _, maker = self._makers[key]
        except KeyError:
            known = ", ".join(sorted(self._makers))
            raise LookupError(f"no plugin {key!r}; there are: {known}") from None
        return maker()

    def describe(self):
        for key, (version, maker) in sorted(self._makers.items()):
            yield f"{key} v{version}: {inspect.getdoc(maker)} {inspect.signature(maker)}"


registry = Registry()


class Formatter(abc.ABC):
    @abc.abstractmethod
    def render(self, rows): ...

    def __init_subclass__(cls, version=1, **rest):
        super().__init_subclass__(**rest)
        registry.register(version=version)(cls)


class Plain(Formatter):
    """Lines of text."""

    def render(self, rows):
        return "\n".join(" ".join(map(str, row)) for row in rows)


class Table(Formatter, version=2):
    """A table with borders."""

    def __init__(self, border: str = "|"):
        self.border = border

    def render(self, rows):
        widths = [max(len(str(c)) for c in column) for column in zip(*rows)]
        return "\n".join(
            self.border
            + self.border.join(f"{c!s:^{w + 2}}" for c, w in zip(row, widths))
            + self.border
            for row in rows
        )


@registry.register("csv")
def make_csv():
    """Values with commas."""
    return type(
        "Csv", (), {"render": lambda self, rows: "\n".join(",".join(map(str, row)) for row in rows)}
    )()


rows = [("name", "n"), ("apple", 3), ("fig", 12)]
for key in ("plain", "table", "csv"):
    print(registry.get(key).render(rows), registry.get(key) is registry.get(key))
print(*registry.describe(), sep="\n")
for attempt in (
    lambda: registry.get("xml"),
    lambda: registry.register("table")(print),
    lambda: type("Half", (Formatter,), {}) and registry.get("half"),
):
    try:
        attempt()
    except Exception as error:
        print(type(error).__name__, error)
