"""contextvars and weakref: tokens, contexts, callbacks, finalizers, weak collections."""

import contextvars
import gc
import weakref

var = contextvars.ContextVar("var", default=0)
token = var.set(1)
print(var.get(), token.old_value is contextvars.Token.MISSING, token.var is var)
ctx = contextvars.copy_context()


def inside():
    var.set(99)
    return var.get()


print(
    ctx.run(inside),
    var.get(),
    ctx[var],
    var in ctx,
    len(ctx),
    ctx.get(contextvars.ContextVar("other"), "none"),
)
var.reset(token)
print(var.get())
with var.set(5) as token:
    print(var.get())
print(var.get())
for attempt in (
    lambda: var.reset(token),
    lambda: contextvars.ContextVar("empty").get(),
    lambda: var.reset(5),
    lambda: ctx.run(ctx.run, print),
    lambda: contextvars.ContextVar(5),
    lambda: ctx[5],
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, str(error).split(" at 0x")[0].split("<")[0])


class Node:
    def __init__(self, name):
        self.name = name

    def hello(self):
        return self.name


n = Node("n")
r = weakref.ref(n, lambda ref: print("gone", ref() is None))
proxy = weakref.proxy(n)
method = weakref.WeakMethod(n.hello)
final = weakref.finalize(n, print, "finalized", 1)
values = weakref.WeakValueDictionary(a=n)
keys = weakref.WeakKeyDictionary({n: "data"})
members = weakref.WeakSet([n])
print(
    r() is n,
    proxy.name,
    method()(),
    final.alive,
    dict(values),
    len(keys),
    n in members,
    weakref.getweakrefcount(n) > 3,
)
del n
print(r(), method(), final.alive, len(values), len(keys), len(members))
try:
    proxy.name
except ReferenceError as error:
    print(error)


class Cycle:
    def __init__(self):
        self.me = self

    def __del__(self):
        print("del cycle")


c = Cycle()
w = weakref.ref(c)
del c
print(w() is None)
gc.collect()
print(
    w() is None,
    gc.isenabled(),
    gc.is_tracked([]),
    gc.is_tracked(1),
    len(gc.get_threshold()),
    gc.collect(0) >= 0,
)
for attempt in (
    lambda: weakref.ref(1),
    lambda: weakref.ref("a"),
    lambda: weakref.ref([]),
    lambda: weakref.WeakSet([1]),
    lambda: hash(weakref.proxy(Node("x"))),
):
    try:
        print(attempt())
    except TypeError as error:
        print(error)
