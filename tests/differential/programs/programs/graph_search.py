"""Shortest paths, topological order, components, spanning tree of a small map."""

import heapq
from collections import defaultdict, deque
from graphlib import CycleError, TopologicalSorter

ROADS = [
    ("A", "B", 7),
    ("A", "C", 9),
    ("A", "F", 14),
    ("B", "C", 10),
    ("B", "D", 15),
    ("C", "D", 11),
    ("C", "F", 2),
    ("D", "E", 6),
    ("E", "F", 9),
    ("X", "Y", 1),
]
graph = defaultdict(dict)
for a, b, length in ROADS:
    graph[a][b] = graph[b][a] = length


def dijkstra(start):
    distance, previous = {start: 0}, {}
    heap = [(0, start)]
    while heap:
        so_far, node = heapq.heappop(heap)
        if so_far > distance[node]:
            continue
        for other, length in sorted(graph[node].items()):
            if so_far + length < distance.get(other, float("inf")):
                distance[other] = so_far + length
                previous[other] = node
                heapq.heappush(heap, (distance[other], other))
    return distance, previous


def path(previous, end):
    nodes = [end]
    while nodes[-1] in previous:
        nodes.append(previous[nodes[-1]])
    return nodes[::-1]


distance, previous = dijkstra("A")
for node in sorted(distance):
    print(node, distance[node], "->".join(path(previous, node)))


def components():
    seen = set()
    for start in sorted(graph):
        if start in seen:
            continue
        queue, found = deque([start]), []
        seen.add(start)
        while queue:
            node = queue.popleft()
            found.append(node)
            for other in sorted(graph[node]):
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
        yield found


print(list(components()))
parent = {node: node for node in graph}


def find(node):
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


tree = []
for length, a, b in sorted((length, a, b) for a, b, length in ROADS):
    if find(a) != find(b):
        parent[find(a)] = find(b)
        tree.append((a, b, length))
print(tree, sum(length for *_, length in tree))
sorter = TopologicalSorter({"app": {"db", "web"}, "web": {"net"}, "db": {"net", "disk"}})
sorter.prepare()
while sorter.is_active():
    ready = sorted(sorter.get_ready())
    print(ready)
    sorter.done(*ready)
try:
    list(TopologicalSorter({"a": "b", "b": "c", "c": "a"}).static_order())
except CycleError as error:
    print(error.args[0], len(error.args[1]))
