"""A maze made by a seed, solved by breadth-first search and A*."""

import heapq
import random
from collections import deque

random.seed(11)
W, H = 21, 11
maze = [["#"] * W for _ in range(H)]
stack = [(1, 1)]
maze[1][1] = " "
while stack:
    x, y = stack[-1]
    ways = [
        (dx, dy)
        for dx, dy in ((2, 0), (-2, 0), (0, 2), (0, -2))
        if 0 < x + dx < W and 0 < y + dy < H and maze[y + dy][x + dx] == "#"
    ]
    if not ways:
        stack.pop()
        continue
    dx, dy = random.choice(ways)
    maze[y + dy // 2][x + dx // 2] = maze[y + dy][x + dx] = " "
    stack.append((x + dx, y + dy))
start, goal = (1, 1), (W - 2, H - 2)


def neighbours(x, y):
    return [
        (a, b) for a, b in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)) if maze[b][a] != "#"
    ]


def breadth():
    previous, queue = {start: None}, deque([start])
    while queue:
        at = queue.popleft()
        for n in neighbours(*at):
            if n not in previous:
                previous[n] = at
                queue.append(n)
    return previous


def star():
    heap, cost = [(0, start)], {start: 0}
    while heap:
        _, at = heapq.heappop(heap)
        if at == goal:
            return cost[at], len(cost)
        for n in neighbours(*at):
            if cost[at] + 1 < cost.get(n, 10**9):
                cost[n] = cost[at] + 1
                heapq.heappush(heap, (cost[n] + abs(n[0] - goal[0]) + abs(n[1] - goal[1]), n))


previous, at, steps = breadth(), goal, -1
while at:
    maze[at[1]][at[0]] = "."
    at = previous[at]
    steps += 1
print("\n".join(map("".join, maze)))
print(steps, star()[0] == steps)
