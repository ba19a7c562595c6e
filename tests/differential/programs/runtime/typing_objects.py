"""typing: reprs, introspection, protocols, TypedDict, NamedTuple, overloads, casts, errors."""

import typing
from typing import (
    Annotated,
    Any,
    Callable,
    ClassVar,
    Final,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    ParamSpec,
    Protocol,
    Self,
    TypedDict,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    overload,
    runtime_checkable,
)

T = TypeVar("T", bound=int)
print(
    Optional[int],
    Union[int, str, None],
    int | None,
    list[int],
    dict[str, list[T]],
    Callable[[int], str],
    Callable[..., Any],
    Literal[1, "a", None],
    Annotated[int, "meta"],
    ClassVar[int],
    Final,
    tuple[int, ...],
    type[int],
    T,
    Any,
    Self,
    Union[int, int],
    Optional[None],
    Union[int, Union[str, bytes]],
    list[int] | None,
    "x" in get_args(Literal["x"]),
)
print(
    get_origin(list[int]),
    get_args(dict[str, int]),
    get_args(Callable[[int, str], bool]),
    get_origin(int | str),
    get_args(Annotated[int, 1, 2]),
    get_origin(list),
    isinstance(1, int | str),
    issubclass(bool, int | str),
    (int | str) == Union[str, int],
    hash(int | str) == hash(str | int),
    Union[int, str].__parameters__,
)


class Box(Generic[T]):
    item: T
    count: ClassVar[int] = 0
    late: "Box[int]"


@runtime_checkable
class Closer(Protocol):
    name: str

    def close(self) -> None: ...


class File:
    name = "f"

    def close(self): ...


class Movie(TypedDict, total=False):
    title: typing.Required[str]
    year: int
    extra: NotRequired["str"]


class Employee(NamedTuple):
    name: str
    id: int = 3

    def tag(self):
        return f"{self.name}#{self.id}"


print(
    get_type_hints(Box),
    get_type_hints(Box, include_extras=True)["late"],
    Box[int],
    Box[int]().__orig_class__,
    Box.__parameters__,
    isinstance(File(), Closer),
    isinstance(1, Closer),
    Movie(title="x"),
    Movie.__required_keys__,
    sorted(Movie.__optional_keys__),
    Movie.__total__,
    Employee("a"),
    Employee("a").tag(),
    Employee._field_defaults,
    typing.is_typeddict(Movie),
    typing.get_protocol_members(Closer) == {"name", "close"},
)
UserId = NewType("UserId", int)
P = ParamSpec("P")
print(
    UserId(5),
    UserId,
    UserId.__supertype__,
    P,
    P.args,
    typing.cast(str, 5),
    typing.assert_type(1, int),
    typing.NoReturn,
    typing.Never,
    typing.get_overloads(print),
    typing.List[int],
    typing.Dict,
    typing.Tuple[()],
    typing.Type[int],
    typing.Iterable[int],
    typing.AsyncIterator,
    typing.Text,
    typing.AnyStr,
    typing.NamedTuple("N", [("a", int)])(1),
    typing.TypedDict("D", {"a": int}).__annotations__,
    typing.Concatenate[int, P],
    typing.TypeGuard[int],
    typing.Unpack[tuple[int]],
    typing.LiteralString,
    typing.override(print) is print,
    typing.final(Box) is Box,
    Box.__final__,
)


@overload
def two(x: int) -> int: ...
@overload
def two(x: str) -> str: ...
def two(x):
    return x * 2


print(
    two("a"),
    len(typing.get_overloads(two)),
    typing.get_type_hints(two),
    typing.reveal_type.__name__,
    typing.evaluate_forward_ref(typing.ForwardRef("int")),
    typing.no_type_check(lambda: 1)(),
)
for attempt in (
    lambda: Box[str, int],
    lambda: list[int]("ab"),
    lambda: isinstance(1, list[int]),
    lambda: Closer(),
    lambda: typing.assert_never(1),
    lambda: Optional[1, 2],
    lambda: Union[()],
    lambda: Literal[int],
    lambda: Generic[int],
    lambda: Callable[int],
    lambda: TypeVar("X", int),
    lambda: TypeVar("X", bound=1, covariant=True, contravariant=True),
    lambda: ClassVar[ClassVar[int]],
    lambda: Employee(),
    lambda: Employee("a", 1, 2),
    lambda: int[str],
    lambda: type("B", (int | str,), {}),
    lambda: isinstance(1, Union),
    lambda: Any(),
    lambda: isinstance(1, Any),
    lambda: Annotated[int],
    lambda: Self[int],
    lambda: typing.get_type_hints(5),
    lambda: 1 | int,
    lambda: NewType("A", int) + 1,
    lambda: typing.nothing,
    lambda: list[T][str, int],
    lambda: dict[T, int][str, str],
    lambda: typing.ForwardRef("a b"),
    lambda: isinstance(Movie(), Movie),
    lambda: Movie(1),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
