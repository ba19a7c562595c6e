"""What the matcher raises and what a class pattern asks of a class."""


class Plain:
    pass


class Wrong:
    __match_args__ = ["a"]


class Twice:
    __match_args__ = ("a", "a")
    a = 1


def attempt(function):
    try:
        print(function())
    except Exception as error:
        print(type(error).__name__, error)


def positional_of_plain():
    match Plain():
        case Plain(1):
            return "matched"
    return "no"


def wrong_args():
    match Wrong():
        case Wrong(1):
            return "matched"


def same_twice():
    match Twice():
        case Twice(1, 1):
            return "matched"


def too_many_of_int():
    match 5:
        case int(5, 6):
            return "matched"


def not_a_class():
    kind = 3
    match 5:
        case kind(1):
            return "matched"


for each in (positional_of_plain, wrong_args, same_twice, too_many_of_int, not_a_class):
    attempt(each)

for source in (
    "match x:\n case a:\n  pass\n case 1:\n  pass",
    "match x:\n case [a, a]:\n  pass",
    "match x:\n case {'k': 1, 'k': 2}:\n  pass",
    "match x:\n case a | b:\n  pass",
    "match x:\n case 1 | a:\n  pass",
    "match x:\n case [*a, *b]:\n  pass",
    "match x:\n case -a:\n  pass",
    "match x:\n case {**rest, 'k': 1}:\n  pass",
    "match x:\n case C(a=1, 2):\n  pass",
    "match x:\n case C(a=1, a=2):\n  pass",
    "match x:\n case f'{x}':\n  pass",
    "match x:\n case 1 + 2:\n  pass",
    "match x:\ncase 1:\n  pass",
):
    try:
        compile(source, "p.py", "exec")
        print("compiles")
    except SyntaxError as error:
        print(type(error).__name__, error.msg, error.lineno, error.offset, error.end_offset)
