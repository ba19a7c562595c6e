"""Where each dynamic library goes in memory and table, and what its symbols are worth."""

from __future__ import annotations

from dataclasses import dataclass, field

from toolchain.errors import BuildError
from toolchain.leaves import binary
from toolchain.wasm_binary import Module

PAGE = 65536

# Nothing lies below it and the host maps nothing there (GUEST_LOWEST_ADDRESS of guest_instance.h):
# a null pointer traps. So wasm-opt may fold an addition into the offset of an access
# (--low-memory-unused, for less than 1,024): where the sum goes round at 4 GiB, the one address is
# below this one and the other behind the memory, and both trap.
LOWEST_ADDRESS = 4096

# The shadow stack comes first: when it overflows, addresses go to where nothing is mapped, or below
# zero, that is beyond the end of the address space.
STACK_SIZE = 4 << 20
STACK_TOP = LOWEST_ADDRESS + STACK_SIZE

# Room that malloc finds before it has to grow memory.
INITIAL_HEAP = 1 << 20

# Table index 0 stays empty, so that a null function pointer traps.
FIRST_TABLE_INDEX = 1


@dataclass
class Library:
    """One dynamic library with the place that it was given."""

    name: str
    module: Module
    memory_base: int = 0
    table_base: int = 0

    def exports(self, kind: int) -> dict[str, int]:
        return self.module.exported(kind)


@dataclass
class Layout:
    """The finished plan of memory and table."""

    libraries: list[Library]
    heap_base: int
    pointer_base: int  # first table index of exported functions whose address is taken
    table_end: int
    symbols: dict[str, int] = field(default_factory=dict)

    @property
    def initial_pages(self) -> int:
        return -(-(self.heap_base + INITIAL_HEAP) // PAGE)

    def function_provider(self, name: str) -> Library | None:
        """The library whose function of that name is used: the guest's own, else the first one's.

        The guest is the last of the list; it wins as a main program does in any dynamic linker.
        """
        for library in [self.libraries[-1], *self.libraries[:-1]]:
            if name in library.exports(binary.KIND_FUNCTION):
                return library
        return None

    def data_address(self, name: str) -> int | None:
        """The address of an exported variable."""
        if name in self.symbols:
            return self.symbols[name]
        for library in self.libraries:
            index = library.exports(binary.KIND_GLOBAL).get(name)
            if index is not None:
                offset = library.module.global_constant(index)
                if offset is None:
                    raise BuildError(f"address of {name} in {library.name} is not a constant")
                return library.memory_base + offset
        return None


def align(value: int, alignment: int) -> int:
    """The next multiple of alignment."""
    return (value + alignment - 1) // alignment * alignment


def place(libraries: list[Library], pointers: int) -> Layout:
    """Gives each library its memory and table base, in the order of the list.

    pointers: number of exported functions whose address is taken. Their table entries come before
    those of the last library, which is the one that changes often: a change there then moves
    nothing else.
    """
    memory = STACK_TOP
    table = FIRST_TABLE_INDEX
    pointer_base = table
    for library in libraries:
        if library is libraries[-1]:
            pointer_base = table
            table += pointers
        needs = library.module.memory_needs
        if needs is None:
            raise BuildError(
                f"{library.name} is not a dynamic library (section dylink.0 is missing)"
            )
        memory = align(memory, max(needs.memory_alignment, 16))
        table = align(table, needs.table_alignment)
        library.memory_base = memory
        library.table_base = table
        memory += needs.memory_size
        table += needs.table_size
    heap = align(memory, PAGE)
    layout = Layout(libraries, heap, pointer_base, table)
    layout.symbols = {
        "__stack_low": LOWEST_ADDRESS,
        "__stack_high": STACK_TOP,
        "__heap_base": heap,
        "__heap_end": layout.initial_pages * PAGE,
    }
    return layout
