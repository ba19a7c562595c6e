"""Accounts with dataclasses, decimal money, own exceptions, and a statement."""

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum, auto


class Kind(StrEnum):
    DEPOSIT = auto()
    WITHDRAWAL = auto()
    INTEREST = auto()


class InsufficientFunds(Exception):
    def __init__(self, needed, available):
        self.short = needed - available
        super().__init__(f"{needed} wanted, {available} there: {self.short} short")


@dataclass(frozen=True, order=True)
class Entry:
    on: date
    kind: Kind = field(compare=False)
    amount: Decimal = field(compare=False)


@dataclass
class Account:
    owner: str
    rate: Decimal = Decimal("0.015")
    entries: list[Entry] = field(default_factory=list, repr=False)

    @property
    def balance(self):
        return sum((e.amount for e in self.entries), Decimal(0))

    def deposit(self, amount, on):
        amount = Decimal(str(amount))
        if amount <= 0:
            raise ValueError(f"cannot deposit {amount}")
        self.entries.append(Entry(on, Kind.DEPOSIT, amount))

    def withdraw(self, amount, on):
        amount = Decimal(str(amount))
        if amount > self.balance:
            raise InsufficientFunds(amount, self.balance)
        self.entries.append(Entry(on, Kind.WITHDRAWAL, -amount))

    def add_interest(self, on):
        interest = (self.balance * self.rate / 12).quantize(Decimal("0.01"), ROUND_HALF_UP)
        self.entries.append(Entry(on, Kind.INTEREST, interest))

    def statement(self):
        yield f"Statement of {self.owner:.<30}{len(self.entries):>3} entries"
        running = Decimal(0)
        for entry in sorted(self.entries):
            running += entry.amount
            yield f"{entry.on:%d %b %Y}  {entry.kind:<12}{entry.amount:>+12,.2f}{running:>12,.2f}"


account = Account("Ann Example")
account.deposit(1500, date(2024, 1, 5))
account.withdraw("250.75", date(2024, 1, 20))
account.add_interest(date(2024, 1, 31))
account.deposit(0.1 + 0.2, date(2023, 12, 31))
for attempt in (
    lambda: account.withdraw(10_000, date.max),
    lambda: account.deposit(-5, date.min),
    lambda: account.deposit("x", date.min),
    lambda: setattr(account.entries[0], "amount", 0),
):
    try:
        attempt()
    except Exception as error:
        print(type(error).__name__, error)
print(*account.statement(), sep="\n")
print(account, account.balance, Kind("deposit"), max(account.entries))
