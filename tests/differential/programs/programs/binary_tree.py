"""A search tree: insert, remove, traverse, height, balance, drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator


@dataclass
class Node:
    key: int
    left: Node | None = None
    right: Node | None = None


class Tree:
    def __init__(self, keys=()):
        self.root: Node | None = None
        self.size = 0
        for key in keys:
            self.add(key)

    def add(self, key):
        if self.root is None:
            self.root = Node(key)
        else:
            node = self.root
            while True:
                if key == node.key:
                    raise KeyError(f"{key} is there already")
                side = "left" if key < node.key else "right"
                if getattr(node, side) is None:
                    setattr(node, side, Node(key))
                    break
                node = getattr(node, side)
        self.size += 1

    def __iter__(self) -> Iterator[int]:
        def walk(node):
            if node:
                yield from walk(node.left)
                yield node.key
                yield from walk(node.right)

        return walk(self.root)

    def __contains__(self, key):
        node = self.root
        while node and node.key != key:
            node = node.left if key < node.key else node.right
        return node is not None

    def remove(self, key):
        def cut(node):
            if node is None:
                raise KeyError(key)
            if key < node.key:
                node.left = cut(node.left)
            elif key > node.key:
                node.right = cut(node.right)
            elif node.left and node.right:
                least = node.right
                while least.left:
                    least = least.left
                node.key, least.key = least.key, node.key
                node.right = Tree._cut_least(node.right)
            else:
                return node.left or node.right
            return node

        self.root = cut(self.root)
        self.size -= 1

    @staticmethod
    def _cut_least(node):
        if node.left is None:
            return node.right
        node.left = Tree._cut_least(node.left)
        return node

    def height(self):
        def of(node):
            return 1 + max(of(node.left), of(node.right)) if node else 0

        return of(self.root)

    def draw(self):
        def lines(node, depth):
            if node:
                yield from lines(node.right, depth + 1)
                yield "    " * depth + str(node.key)
                yield from lines(node.left, depth + 1)

        return "\n".join(lines(self.root, 0))


tree = Tree([50, 30, 70, 20, 40, 60, 80, 35, 45, 65])
print(tree.draw())
print(list(tree), tree.height(), tree.size, 45 in tree, 46 in tree)
for key in (20, 30, 50):
    tree.remove(key)
    print(key, list(tree), tree.root.key)
for attempt in (lambda: tree.remove(99), lambda: tree.add(70), lambda: Tree("ab").add(1)):
    try:
        attempt()
    except Exception as error:
        print(type(error).__name__, error)
print(repr(Tree([2, 1]).root), Tree().height(), list(Tree()))
