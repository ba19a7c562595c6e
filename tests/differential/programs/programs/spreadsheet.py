"""A spreadsheet: cells with formulas, dependencies, cycles and errors."""

import re


class Sheet:
    def __init__(self, cells):
        self.cells = cells
        self.values = {}

    def value(self, name, path=()):
        if name in path:
            raise RecursionError(" -> ".join([*path[path.index(name) :], name]))
        if name not in self.values:
            self.values[name] = self.compute(name, (*path, name))
        return self.values[name]

    def compute(self, name, path):
        content = self.cells.get(name, "")
        if not content.startswith("="):
            try:
                return float(content) if content else 0.0
            except ValueError:
                return content
        formula = re.sub(
            r"SUM\((\w)(\d+):(\w)(\d+)\)",
            lambda m: (
                "sum(["
                + ",".join(
                    f"{chr(c)}{r}"
                    for c in range(ord(m[1]), ord(m[3]) + 1)
                    for r in range(int(m[2]), int(m[4]) + 1)
                )
                + "])"
            ),
            content[1:],
        )
        formula = re.sub(r"\b([A-Z]\d+)\b", lambda m: f"cell({m[1]!r})", formula)
        return eval(
            formula,
            {
                "__builtins__": {},
                "cell": lambda n: self.value(n, path),
                "sum": sum,
                "max": max,
                "round": round,
            },
        )

    def show(self):
        for name in sorted(self.cells):
            try:
                print(f"{name} {self.cells[name]:<18} {self.value(name)}")
            except Exception as error:
                print(f"{name} {self.cells[name]:<18} #{type(error).__name__}: {error}")


Sheet(
    {
        "A1": "10",
        "A2": "2.5",
        "A3": "=A1 * A2",
        "B1": "=SUM(A1:A3)",
        "B2": "=max(B1, 5) / 3",
        "B3": "=round(B2, 2)",
        "C1": "text",
        "C2": "=C1 + 'ure'",
        "C3": "=C1 * A1",
        "D1": "=D2 + 1",
        "D2": "=D3",
        "D3": "=D1",
        "E1": "=1 / E9",
        "E2": "=open('x')",
        "E3": "=(1",
        "E4": "=SUM(C1:C1)",
        "F1": "=A1 if A2 > 2 else 0",
    }
).show()
