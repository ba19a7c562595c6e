"""When __del__ runs: rebinding, containers, exceptions, cycles."""

import gc


class Loud:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("del", self.name)


a = Loud("a")
a = Loud("b")
b = a
del a
print("still b")
b = None
items = [Loud(i) for i in range(3)]
items.pop(0)
print("popped")
items.clear()
print("cleared")


def function():
    local = Loud("local")
    raise ValueError(local.name)


try:
    function()
except ValueError as error:
    print("caught", error)
print("after")
one, two = Loud("one"), Loud("two")
one.other, two.other = two, one
del one, two
print("collecting")
gc.collect()


class Bad:
    def __del__(self):
        raise RuntimeError("in del")


Bad()
print("end")
keep = Loud("kept until the end")
