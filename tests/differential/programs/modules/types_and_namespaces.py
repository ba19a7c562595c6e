"""SimpleNamespace, MappingProxyType, DynamicClassAttribute, new_class, coroutine, GenericAlias."""

import types

n = types.SimpleNamespace(a=1, b=[2])
n.c = n.a + 1
print(n, n == types.SimpleNamespace(a=1, b=[2], c=2), vars(n), types.SimpleNamespace({"x": 1}, y=2))
m = types.MappingProxyType({"k": 1})
print(m, m["k"], m | {"z": 2}, len(m), "k" in m)
C = types.new_class("C", (list,), {}, lambda ns: ns.update(x=5, f=lambda self: len(self)))
print(
    C([1, 2]).f(),
    C.x,
    types.resolve_bases((list[int],)),
    types.GenericAlias(list, (int,)),
    types.get_original_bases(C),
)
f = types.FunctionType((lambda x: x + y).__code__, {"y": 10})
print(
    f(5),
    types.MethodType(lambda self, v: (self, v), "me")(3),
    types.CellType(7).cell_contents,
    type(types.ModuleType("m")).__name__,
    types.NoneType,
    types.EllipsisType,
    isinstance(int | str, types.UnionType),
    types.coroutine(lambda: (yield)).__name__,
)
for attempt in (
    lambda: m.__setitem__("a", 1),
    lambda: n.zz,
    lambda: types.SimpleNamespace(1),
    lambda: types.MappingProxyType(1),
    lambda: types.NoneType(1),
    lambda: types.FunctionType(1, {}),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
