"""ast: parsing, dumping, unparsing, transforming, literal_eval, and errors."""

import ast

SOURCE = '''
@deco(1)
async def f[T](a, /, b: int = 2, *args, c, **kw) -> T:
    """Doc."""
    x: list[int] = [i for i in range(3) if i]
    async with a as b, c: pass
    try: ...
    except* (A, B) as e: raise X from e
    else: return lambda *a, k=1: (yield)
    match x:
        case {"a": [1, *_], **rest} | C(y=None) as z if z: pass
    print(f"{x!r:>{w}} {y=}", *a, **k, sep="")
    a[1:2, ..., ::3] @= not -b ** ~c if (d := e) else {*f, 1} | {**g, "h": 0j}
type Alias[*Ts] = tuple[*Ts]
for i, (j, *k) in z: continue
else: del m.n, o[p]
global q
import r.s as t, u
from ..v import w
while True: break
assert 1 < 2 <= 3 != 4, "m"
x = t"{a}b"
'''
tree = ast.parse(SOURCE)
print(ast.unparse(tree))
print(ast.dump(tree.body[0], indent=1)[:1500])
print(
    ast.dump(ast.parse("a.b(c, *d, e=1)[0]", mode="eval"), include_attributes=False),
    ast.dump(ast.parse("x = 1"), annotate_fields=False),
    ast.dump(ast.parse("1", mode="eval").body, include_attributes=True),
)
print(
    ast.get_docstring(tree.body[0]),
    ast.get_source_segment("a = b + c", ast.parse("a = b + c").body[0].value),
    sorted({type(n).__name__ for n in ast.walk(tree)}),
)


class Fold(ast.NodeTransformer):
    def visit_BinOp(self, node):
        self.generic_visit(node)
        if (
            isinstance(node.left, ast.Constant)
            and isinstance(node.right, ast.Constant)
            and isinstance(node.op, ast.Add)
        ):
            return ast.copy_location(ast.Constant(node.left.value + node.right.value), node)
        return node


folded = ast.fix_missing_locations(Fold().visit(ast.parse("print(1 + 2 + x * (3 + 4))")))
print(ast.unparse(folded))
exec(compile(folded, "folded", "exec"), {"x": 2})


class Names(ast.NodeVisitor):
    def __init__(self):
        self.names = []

    def visit_Name(self, node):
        self.names.append((node.id, type(node.ctx).__name__, node.lineno, node.col_offset))


v = Names()
v.visit(ast.parse("a = b\nc += d(a)"))
print(v.names)
for text in (
    "[1, {'a': (2.5, None)}, {1}, b'x', -3 + 2j]",
    "1 + 1",
    "x",
    "f()",
    "[",
    "'a' 'b'",
    "set()",
    "-1",
    "{**{}}",
    "()",
    "...",
    "1_000",
    "f'x'",
):
    try:
        print(repr(text), ast.literal_eval(text))
    except Exception as error:
        print(repr(text), type(error).__name__, str(error).split(" at 0x")[0])
for attempt in (
    lambda: compile(ast.Module([ast.Expr(ast.Name("x"))], []), "", "exec"),
    lambda: compile(ast.Expression(5), "", "eval"),
    lambda: ast.parse("x", mode="zz"),
    lambda: ast.unparse(5),
    lambda: ast.parse("def"),
    lambda: ast.Name(),
    lambda: ast.dump("x"),
    lambda: compile(ast.parse("x"), "", "eval"),
    lambda: ast.BinOp(1, 2, 3, 4),
    lambda: ast.parse("a:int", type_comments=True).body[0].simple,
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
