"""Suggestions: in attribute, name, import and keyword errors."""

import collections
import re
import traceback


class Cart:
    def __init__(self):
        self.items = []
        self._private = 1

    def add_item(self): ...

    def indirect(self):
        return itms


class Holder:
    def __init__(self):
        self.cart = Cart()

    def go(self):
        return add_item


def local():
    colour = 1
    return color


attempts = [
    lambda: Cart().itmes,
    lambda: Cart().additem(),
    lambda: Cart().indirect(),
    lambda: Cart().private,
    lambda: Holder().items,
    lambda: Holder().go(),
    local,
    lambda: collections.OrderedDcit,
    lambda: collections.namedtupel,
    lambda: __import__("collections").Countr,
    lambda: exec("from collections import Countr"),
    lambda: exec("import colections"),
    lambda: exec("import os.pth"),
    lambda: exec("from math import sinus"),
    lambda: exec("from os import nothing_like_it"),
    lambda: "text".uppr(),
    lambda: [].appendd(1),
    lambda: {}.itmes(),
    lambda: (1).real_part,
    lambda: None.strip(),
    lambda: sys.path,
    lambda: datetime.now(),
    lambda: Cart().append(1),
    lambda: [].push(1),
    lambda: [].put(1),
    lambda: {}.has_key(1),
    lambda: "".contains("a"),
    lambda: sorted([1], revers=True),
    lambda: int("1", bas=2),
    lambda: true,
    lambda: null,
    lambda: pritn(1),
]
for each in attempts:
    try:
        each()
        print("nothing")
    except Exception as error:
        text = traceback.format_exception_only(error)[-1]
        print(re.sub(r" \(/.*\)", "", text), end="")
