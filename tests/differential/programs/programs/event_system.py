"""Publishers and subscribers with weak references, priorities, and errors that are collected."""

import weakref
from collections import defaultdict
from typing import Any, Callable


class EventBus:
    def __init__(self):
        self._handlers: dict[str, list[tuple[int, Any]]] = defaultdict(list)
        self.history = []

    def on(self, event: str, priority: int = 0):
        def register(function: Callable):
            self.subscribe(event, function, priority)
            return function

        return register

    def subscribe(self, event, function, priority=0):
        reference = (
            weakref.WeakMethod(function) if hasattr(function, "__self__") else lambda: function
        )
        self._handlers[event].append((priority, reference))
        self._handlers[event].sort(key=lambda pair: -pair[0])

    def emit(self, event, **data):
        errors = []
        for priority, reference in list(self._handlers.get(event, [])):
            function = reference()
            if function is None:
                self._handlers[event].remove((priority, reference))
                continue
            try:
                self.history.append((event, function.__name__, function(**data)))
            except Exception as error:
                error.add_note(f"while handling {event!r} in {function.__name__}()")
                errors.append(error)
        if errors:
            raise ExceptionGroup(f"{len(errors)} handlers of {event!r} failed", errors)


bus = EventBus()


@bus.on("order", priority=10)
def validate(amount, **rest):
    if amount < 0:
        raise ValueError("negative amount")
    return "ok"


@bus.on("order")
def stock(item, amount):
    return {"apple": 5}[item] - amount


class Mailer:
    def notify(self, **data):
        return f"mail about {sorted(data)}"


mailer = Mailer()
bus.subscribe("order", mailer.notify, 5)
bus.emit("order", item="apple", amount=2)
del mailer
bus.emit("order", item="apple", amount=1)
bus.emit("nobody listens")
print(*bus.history, sep="\n")
print(len(bus._handlers["order"]))
bus.emit("order", item="pear", amount=-1)
