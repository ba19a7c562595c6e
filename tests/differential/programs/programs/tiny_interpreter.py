"""A small language: tokenizer, recursive descent parser, closures, and its own errors."""

import operator
import re

TOKEN = re.compile(r"\s*(?:(\d+\.?\d*)|(\w+)|(==|<=|>=|!=|.))")
BINARY = [
    {"==": operator.eq, "<": operator.lt, "<=": operator.le},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.truediv, "%": operator.mod},
]


class LangError(Exception):
    pass


class Parser:
    def __init__(self, text):
        self.tokens = [m.group(m.lastindex) for m in TOKEN.finditer(text)] + ["end"]
        self.place = 0

    @property
    def peek(self):
        return self.tokens[self.place]

    def take(self, expected=None):
        token = self.peek
        if expected and token != expected:
            raise LangError(f"expected {expected!r}, got {token!r} at {self.place}")
        self.place += 1
        return token

    def program(self):
        out = []
        while self.peek != "end":
            out.append(self.statement())
        return out

    def statement(self):
        match self.peek:
            case "let":
                self.take()
                name = self.take()
                self.take("=")
                value = self.expression()
                self.take(";")
                return "let", name, value
            case "print":
                self.take()
                value = self.expression()
                self.take(";")
                return "print", value
            case "while":
                self.take()
                return "while", self.expression(), self.block()
            case _:
                value = self.expression()
                self.take(";")
                return "do", value

    def block(self):
        self.take("{")
        out = []
        while self.peek != "}":
            out.append(self.statement())
        self.take("}")
        return out

    def expression(self, level=0):
        if level == len(BINARY):
            return self.call()
        left = self.expression(level + 1)
        while self.peek in BINARY[level]:
            function = BINARY[level][self.take()]
            left = ("binary", function, left, self.expression(level + 1))
        return left

    def call(self):
        value = self.atom()
        while self.peek == "(":
            self.take()
            arguments = []
            while self.peek != ")":
                arguments.append(self.expression())
                if self.peek == ",":
                    self.take()
            self.take(")")
            value = ("call", value, arguments)
        return value

    def atom(self):
        token = self.take()
        if token == "(":
            value = self.expression()
            self.take(")")
            return value
        if token == "fn":
            self.take("(")
            names = []
            while self.peek != ")":
                names.append(self.take())
                if self.peek == ",":
                    self.take()
            self.take(")")
            return "function", names, self.expression()
        if token == "if":
            test = self.expression()
            self.take("then")
            yes = self.expression()
            self.take("else")
            return "if", test, yes, self.expression()
        if token[0].isdigit():
            return "number", float(token) if "." in token else int(token)
        if token.isidentifier():
            return "name", token
        raise LangError(f"unexpected {token!r}")


def lookup(scope, name):
    while scope is not None:
        if name in scope[0]:
            return scope[0]
        scope = scope[1]
    raise LangError(f"{name} is not defined")


def evaluate(node, scope):
    match node:
        case ("number", value):
            return value
        case ("name", name):
            return lookup(scope, name)[name]
        case ("binary", function, left, right):
            return function(evaluate(left, scope), evaluate(right, scope))
        case ("if", test, yes, no):
            return evaluate(yes if evaluate(test, scope) else no, scope)
        case ("function", names, body):
            return lambda *a: evaluate(body, (dict(zip(names, a, strict=True)), scope))
        case ("call", function, arguments):
            return evaluate(function, scope)(*(evaluate(a, scope) for a in arguments))


def run(statements, scope):
    for node in statements:
        match node:
            case ("let", name, value):
                try:
                    place = lookup(scope, name)
                except LangError:
                    place = scope[0]
                place[name] = evaluate(value, scope)
            case ("print", value):
                print(evaluate(value, scope))
            case ("while", test, body):
                while evaluate(test, scope):
                    run(body, scope)
            case ("do", value):
                evaluate(value, scope)


for text in (
    "let fact = fn(n) if n < 2 then 1 else n * fact(n - 1); print fact(20); print fact(5) / 3;",
    "let i = 0; let s = 0; while i < 10 { let s = s + i * i; let i = i + 1; } print s;",
    "let add = fn(a) fn(b) a + b; print add(3)(4); print (1 + 2) * 3 % 4; print 2 == 2.0;",
    "print x;",
    "let = 5;",
    "print 1 +;",
    "print 1 / 0;",
    "let f = fn(a) a; f(1, 2);",
    "print (1;",
):
    try:
        run(Parser(text).program(), ({}, None))
    except (LangError, ArithmeticError, ValueError) as error:
        print(type(error).__name__, error)
