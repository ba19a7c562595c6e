"""PEP 695 and 696: type parameters, their bounds, defaults and scopes."""


class Stack[T = int]:
    def __init__(self, *items: T) -> None:
        self.items = list(items)

    def map[R](self, function: "Callable[[T], R]") -> "Stack[R]":
        return Stack(*map(function, self.items))

    def __repr__(self):
        return f"Stack{self.items}"


def first[T: (int, str)](values: list[T]) -> T:
    return values[0]


def keyed[K: str, **P, *Ts](key: K, *args: *Ts) -> dict[K, tuple[*Ts]]:
    return {key: args}


type Pair[A, B = A] = tuple[A, B]
type Recursive = list[Recursive] | int

print(Stack.__type_params__, Stack.__parameters__, Stack.__orig_bases__)
print(Stack(1, 2).map(str), Stack[str]("a"), Stack[int].__args__)
print(first.__type_params__[0].__constraints__, first([4]))
print([(p, type(p).__name__) for p in keyed.__type_params__], keyed("k", 1, 2))
print(keyed.__type_params__[0].__bound__)
print(Pair, Pair.__value__, Pair[int, str], Pair[int, str].__origin__, Pair.__type_params__)
print(Pair.__type_params__[1].__default__, Pair.__type_params__[0].__default__)
print(Recursive.__value__, Recursive.__name__, Recursive.__module__)
print(sorted(first.__annotations__))


class Late:
    type Alias = undefined_name


try:
    Late.Alias.__value__
except NameError as error:
    print(error)

for source in (
    "def f[T, T](): pass",
    "class C[T = int, U]: pass",
    "type X[T: (yield)] = int",
    "class C[T]:\n def f(self):\n  nonlocal T",
    "def f[__debug__](): pass",
    "type T.x = int",
):
    try:
        compile(source, "p.py", "exec")
        print("compiles")
    except SyntaxError as error:
        print(error.msg, error.lineno, error.offset)
