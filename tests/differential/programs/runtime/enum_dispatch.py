"""Functions by type and value: singledispatch, match, dict of classes, visitor."""

from dataclasses import dataclass
from functools import singledispatch


@dataclass
class Num:
    value: float


@dataclass
class Bin:
    op: str
    left: object
    right: object


@dataclass
class Neg:
    inner: object


class Visitor:
    def visit(self, node):
        return getattr(self, f"visit_{type(node).__name__.lower()}", self.generic)(node)

    def generic(self, node):
        raise TypeError(f"no visit for {type(node).__name__}")


class Printer(Visitor):
    def visit_num(self, node):
        return f"{node.value:g}"

    def visit_bin(self, node):
        return f"({self.visit(node.left)} {node.op} {self.visit(node.right)})"


@singledispatch
def evaluate(node):
    raise NotImplementedError(type(node))


@evaluate.register
def _(node: Num):
    return node.value


@evaluate.register
def _(node: Bin):
    a, b = evaluate(node.left), evaluate(node.right)
    return {"+": a + b, "*": a * b, "-": a - b}[node.op]


def simplify(node):
    match node:
        case Bin("*", Num(0), _) | Bin("*", _, Num(0)):
            return Num(0)
        case Bin("*", Num(1), x) | Bin("*", x, Num(1)) | Bin("+", Num(0), x) | Bin("+", x, Num(0)):
            return simplify(x)
        case Neg(Neg(x)):
            return simplify(x)
        case Bin(op, a, b):
            return Bin(op, simplify(a), simplify(b))
    return node


tree = Bin("+", Num(2), Bin("*", Num(1), Bin("-", Num(7), Num(0.5))))
print(Printer().visit(tree), evaluate(tree), simplify(tree), simplify(Neg(Neg(Num(3)))))
for attempt in (
    lambda: Printer().visit(Neg(Num(1))),
    lambda: evaluate("x"),
    lambda: evaluate(Bin("/", Num(1), Num(2))),
):
    try:
        attempt()
    except Exception as error:
        print(type(error).__name__, error)
