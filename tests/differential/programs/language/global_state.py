"""Module attributes, globals(), __name__, __builtins__, shadowed names, star-assigned names."""

counter = 0


def bump():
    global counter, made_here
    counter += 1
    made_here = "yes"


bump()
globals()["dynamic"] = 5
print(
    counter,
    made_here,
    dynamic,
    __name__,
    __doc__,
    "__file__" in globals(),
    __spec__ is None,
    __package__ is None or __package__ == "",
)
list_ = list
list = [1, 2]
print(list, list_("ab"))
del list
print(list("c"), sorted(n for n in globals() if not n.startswith("__")))
import builtins

builtins.injected = "from builtins"
print(injected)
del builtins.injected
print = (lambda real: lambda *a: real("printing:", *a))(print)
print("shadowed")
del print
print("back")
exec("hidden = 1", scope := {})
print(sorted(scope)[-1], eval("counter + 1"), "hidden" in globals())
