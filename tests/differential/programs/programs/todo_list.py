"""A to-do list with dates, priorities and a text file."""

from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path

numbers = count(1)


@dataclass(order=True)
class Task:
    due: date
    priority: int
    title: str = field(compare=False)
    done: bool = field(default=False, compare=False)
    id: int = field(default_factory=lambda: next(numbers), compare=False)

    def line(self):
        return f"[{'x' if self.done else ' '}] #{self.id} {self.due:%Y-%m-%d} {'!' * self.priority:<3} {self.title}"

    @classmethod
    def parse(cls, text):
        head, day, rest = text[4:].split(" ", 2)
        marks, title = rest[:3], rest[4:]
        return cls(date.fromisoformat(day), marks.count("!"), title, text[1] == "x", int(head[1:]))


tasks = [
    Task(date(2024, 5, 3), 1, "write tests"),
    Task(date(2024, 5, 1), 3, "fix the thing"),
    Task(date(2024, 5, 1), 2, "buy müsli"),
]
tasks[1].done = True
Path("todo.txt").write_text("\n".join(t.line() for t in sorted(tasks)), encoding="utf-8")
print(Path("todo.txt").read_text(encoding="utf-8"))
back = [Task.parse(line) for line in Path("todo.txt").read_text(encoding="utf-8").splitlines()]
print(
    back == sorted(tasks),
    [t.title for t in back if not t.done],
    max(back).title,
    {t.due for t in back if t.due < date(2024, 5, 2)},
)
Task.parse("[ ] nonsense")
