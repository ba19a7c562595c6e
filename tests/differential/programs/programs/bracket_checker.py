"""Balanced brackets with positions, expression evaluation by shunting yard, reverse Polish."""

import operator

PAIRS = {")": "(", "]": "[", "}": "{"}
OPERATORS = {
    "+": (1, operator.add),
    "-": (1, operator.sub),
    "*": (2, operator.mul),
    "/": (2, operator.truediv),
    "^": (3, operator.pow),
}


def check(text):
    stack = []
    for place, c in enumerate(text):
        if c in "([{":
            stack.append((c, place))
        elif c in PAIRS:
            if not stack:
                return f"unexpected {c!r} at {place}"
            opened, where = stack.pop()
            if opened != PAIRS[c]:
                return f"{opened!r} at {where} closed by {c!r} at {place}"
    return f"{stack[-1][0]!r} at {stack[-1][1]} is never closed" if stack else "balanced"


def to_rpn(tokens):
    out, stack = [], []
    for token in tokens:
        if token in OPERATORS:
            while (
                stack
                and stack[-1] in OPERATORS
                and (
                    OPERATORS[stack[-1]][0] > OPERATORS[token][0]
                    or (OPERATORS[stack[-1]][0] == OPERATORS[token][0] and token != "^")
                )
            ):
                out.append(stack.pop())
            stack.append(token)
        elif token == "(":
            stack.append(token)
        elif token == ")":
            while stack[-1] != "(":
                out.append(stack.pop())
            stack.pop()
        else:
            out.append(float(token) if "." in token else int(token))
    return out + stack[::-1]


def evaluate(rpn):
    stack = []
    for item in rpn:
        if isinstance(item, str):
            b, a = stack.pop(), stack.pop()
            stack.append(OPERATORS[item][1](a, b))
        else:
            stack.append(item)
    (value,) = stack
    return value


for text in ("", "([]{})", "(]", "((", "a)b", "{[(x)]}]"):
    print(repr(text), check(text))
for text in (
    "1 + 2 * 3",
    "( 1 + 2 ) * 3",
    "2 ^ 3 ^ 2",
    "8 / 2 / 2",
    "1.5 * ( 4 - 1 )",
    "10 - 4 - 3",
    "1 +",
    "1 / 0",
    "( 1",
    "1 2",
    "x",
):
    try:
        rpn = to_rpn(text.split())
        print(text, rpn, evaluate(rpn))
    except Exception as error:
        print(text, type(error).__name__, error)
