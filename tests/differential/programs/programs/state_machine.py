"""A vending machine and a traffic light with enums and match."""

from enum import Enum, auto


class State(Enum):
    IDLE = auto()
    PAID = auto()
    SOLD_OUT = auto()


class Machine:
    prices = {"tea": 150, "cake": 320}

    def __init__(self, stock):
        self.stock = dict(stock)
        self.money = 0

    @property
    def state(self):
        if not any(self.stock.values()):
            return State.SOLD_OUT
        return State.PAID if self.money else State.IDLE

    def handle(self, *event):
        match self.state, event:
            case State.SOLD_OUT, ("coin", int(value)):
                return f"returned {value}"
            case _, ("coin", int(value)) if value in (10, 50, 100, 200):
                self.money += value
                return f"has {self.money}"
            case _, ("coin", value):
                return f"refused {value!r}"
            case State.PAID, ("choose", str(name)) if self.stock.get(name):
                if self.money < self.prices[name]:
                    return f"{self.prices[name] - self.money} more"
                change, self.money = self.money - self.prices[name], 0
                self.stock[name] -= 1
                return f"{name} and {change} back"
            case _, ("choose", name):
                return f"no {name}"
            case _, ("cancel",):
                back, self.money = self.money, 0
                return f"{back} back"
            case state, unknown:
                raise ValueError(f"{unknown} in {state.name}")


machine = Machine({"tea": 1, "cake": 1})
for event in (
    ("choose", "tea"),
    ("coin", 100),
    ("choose", "tea"),
    ("coin", 5),
    ("coin", "x"),
    ("coin", 100),
    ("choose", "tea"),
    ("choose", "tea"),
    ("coin", 200),
    ("cancel",),
    ("coin", 200),
    ("coin", 200),
    ("choose", "cake"),
    ("coin", 50),
    ("choose", "cake"),
):
    print(machine.state.name, event, "->", machine.handle(*event))
machine.handle("kick", 3)
