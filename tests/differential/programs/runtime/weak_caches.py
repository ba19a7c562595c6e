"""Caches that let go: WeakValueDictionary, finalize at exit, lru_cache of methods."""

import functools
import gc
import weakref


class Image:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"Image({self.name})"


class Cache:
    def __init__(self):
        self._images = weakref.WeakValueDictionary()
        self.loads = 0

    def get(self, name):
        image = self._images.get(name)
        if image is None:
            self.loads += 1
            image = self._images[name] = Image(name)
        return image


cache = Cache()
a = cache.get("a")
print(cache.get("a") is a, cache.loads, len(cache._images))
del a
gc.collect()
print(len(cache._images), cache.get("a"), cache.loads)


class Parent:
    def __init__(self):
        self.children = []

    def add(self):
        child = Child(self)
        self.children.append(child)
        return child


class Child:
    def __init__(self, parent):
        self._parent = weakref.ref(parent)

    @property
    def parent(self):
        return self._parent()


parent = Parent()
child = parent.add()
print(child.parent is parent)
del parent
print(child.parent)


class Costly:
    @functools.lru_cache(maxsize=None)
    def square(self, n):
        return n * n


c = Costly()
print(c.square(3), c.square(3), Costly.square.cache_info().hits)
f = weakref.finalize(c, print, "c is gone")
print(f.peek()[2:], f.alive)
atexit_one = weakref.finalize(cache, print, "cache is gone, at exit")
Costly.square.cache_clear()
del c
print(f.alive, atexit_one.atexit)
