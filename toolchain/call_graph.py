"""Ticks in cycles of calls, and the proof that there is no cycle without one.

Metered code has to count whatever can go on for long. Loops count at their heads; what is left is
recursion. Calls through the table count where they are made, since they may lead anywhere. Of the
direct calls that are left, a few functions which all cycles pass through count when they are
entered. The check knows nothing of how that was chosen: it reads the final text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from toolchain.errors import BuildError

TICK = "GUEST_TICK(instance);"

_FUNCTION_NAME = re.compile(r"\b(?:w2c_guest|shim)_\w+")
_INDIRECT = re.compile(r"^( *)((?:\w+ = )?CALL_INDIRECT\()", re.M)
_INDIRECT_TYPE = re.compile(r"CALL_INDIRECT\(instance->table, [^;]*?\), (\w+),")
_VARIABLES = re.compile(r"  (?:u32|u64|f32|f64|   )(?: var_\w+ = 0[,;])+ ?")
_PROLOGUE = re.compile(r"^  FUNC_PROLOGUE;$", re.M)

Graph = Mapping[str, Collection[str]]


@dataclass
class Calls:
    """What the text of one function calls, as far as no tick is right before the call."""

    counts_entry: bool = False
    functions: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)


def count_indirect_calls(text: str) -> str:
    """Puts a tick before each call through the table."""
    result, count = _INDIRECT.subn(rf"\1{TICK}\n\1\2", text)
    if count != text.count("CALL_INDIRECT"):
        raise BuildError("wasm2c's output has changed: a call through the table is no statement")
    return result


def count_entry(text: str) -> str:
    """Puts a tick at the start of a function."""
    result, count = _PROLOGUE.subn(f"  {TICK}", text)
    if count != 1:
        raise BuildError("wasm2c's output has changed: a function has no prologue")
    return result


def read_calls(text: str) -> Calls:
    """Finds the calls in the text of a function; names of functions count wherever they stand."""
    head, _, body = text.partition("{\n")
    lines = body.split("\n")
    first = next((line for line in lines if not _VARIABLES.fullmatch(line)), "")
    calls = Calls(counts_entry=first.strip() == TICK)
    before = head
    for line in lines:
        if not before.endswith(TICK):
            if "CALL_INDIRECT" in line:
                kind = _INDIRECT_TYPE.search(line)
                if kind is None:
                    raise BuildError(f"a call through the table of unknown type: {line.strip()!r}")
                calls.types.add(kind[1])
            calls.functions.update(_FUNCTION_NAME.findall(line))
        before = line
    return calls


def cycles(graph: Graph) -> list[list[str]]:
    """The strongly connected components that have a cycle (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    waiting: set[str] = set()
    found: list[list[str]] = []
    for root in graph:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        waiting.add(root)
        path = [(root, iter(graph[root]))]
        while path:
            node, successors = path[-1]
            for other in successors:
                if other not in graph:
                    continue
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    waiting.add(other)
                    path.append((other, iter(graph[other])))
                    break
                if other in waiting:
                    low[node] = min(low[node], index[other])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == index[node]:
                    component = [stack.pop()]
                    while component[-1] != node:
                        component.append(stack.pop())
                    waiting.difference_update(component)
                    if len(component) > 1 or node in graph[node]:
                        found.append(component)
    return found


def choose_entries(graph: Graph, cost: Callable[[str], float]) -> set[str]:
    """Functions, cheap together, without which the graph has no cycle.

    Takes the cheapest for the number of calls that it is part of, until no cycle is left. The
    result depends on the graph alone, not on the order of anything.
    """
    chosen: set[str] = set()
    parts = [list(part) for part in cycles(graph)]
    while parts:
        part = set(parts.pop())
        inside = {name: set(graph[name]) & part for name in part}
        callers = dict.fromkeys(part, 0)
        for called in inside.values():
            for name in called:
                callers[name] += 1
        itself = [name for name in part if name in inside[name]]
        pick = min(
            itself or part,
            key=lambda name: (cost(name) / (callers[name] * len(inside[name])), name),
        )
        chosen.add(pick)
        rest = {name: called - {pick} for name, called in inside.items() if name != pick}
        parts += cycles(rest)
    return chosen


def _shortest_cycle(graph: Graph, component: list[str]) -> list[str]:
    start = min(component)
    inside = set(component)
    came_from: dict[str, str] = {}
    queue = [start]
    for node in queue:
        for other in sorted(set(graph[node]) & inside):
            if other == start:
                path = [node]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if other not in came_from:
                came_from[other] = node
                queue.append(other)
    raise AssertionError("a component without a cycle")


def check_ticks(
    functions: Mapping[str, str],
    table: Mapping[str, Iterable[str]],
    from_host: Mapping[str, Iterable[str]],
) -> None:
    """Raises BuildError that names a cycle of calls which counts nothing, if there is one.

    functions: final texts by name; table: the functions that can be called through it, by type;
    from_host: the functions of the guest that a host function may call, by the host function.
    """
    graph: dict[str, set[str]] = {}
    for name, text in functions.items():
        calls = read_calls(text)
        if calls.counts_entry:
            continue
        graph[name] = calls.functions
        for kind in calls.types:
            graph[name] |= set(table.get(kind, ()))
        graph[name] |= set(from_host.get(name, ()))
    unknown = {name for called in graph.values() for name in called} - set(functions)
    if unknown:
        raise BuildError(f"calls of functions that are nowhere: {min(unknown)}")
    found = cycles(graph)
    if found:
        cycle = min((_shortest_cycle(graph, component) for component in found), key=len)
        raise BuildError(
            f"{len(found)} cycles of calls count no tick, one is: {' -> '.join([*cycle, cycle[0]])}"
        )
