"""Addresses that ctypes and numpy have in common: native modules are given them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from eryx import science

pytestmark = [pytest.mark.sample, pytest.mark.needs("numpy")]


def printed(code: str) -> list[str]:
    return science.factory("numpy").create_sandbox().execute(dedent(code)).stdout.splitlines()


class TestAddresses:
    def test_arrays_as_pointers(self) -> None:
        code = """
            import ctypes, numpy as np
            array = np.arange(5.0)
            print(array.ctypes.data_as(ctypes.c_void_p).value == array.ctypes.data)
            pointer = array.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
            pointer[1] = 42
            print(array[1], pointer[4], np.ctypeslib.as_array(pointer, (5,)))
            print((ctypes.c_double * 2).from_address(array.ctypes.data + 24)[:])
            ctypes.memset(array.ctypes.data, 0, 16)
            print(array, ctypes.string_at(array.ctypes.data + 30, 2))
        """
        assert printed(code) == [
            "True",
            "42.0 4.0 [ 0. 42.  2.  3.  4.]",
            "[3.0, 4.0]",
            r"[0. 0. 2. 3. 4.] b'\x08@'",
        ]

    def test_memory_that_is_not_of_ctypes(self) -> None:
        code = """
            import ctypes, numpy as np
            memory = bytearray(b"some text\\0")
            part = (ctypes.c_char * 4).from_buffer(memory, 5)
            place = np.frombuffer(memory, "B").__array_interface__["data"][0]
            print(ctypes.addressof(part) - place, ctypes.string_at(ctypes.addressof(part)))
            print(ctypes.cast(place, ctypes.c_char_p).value)
        """
        assert printed(code) == ["5 b'text'", "b'some text'"]

    def test_objects_as_arrays(self) -> None:
        code = """
            import ctypes, numpy as np
            class Point(ctypes.Structure):
                _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_double)]
            points = (Point * 2)(Point(1, 2.5), Point(3, 4.5))
            print(np.asarray(points)["y"], np.asarray((ctypes.c_short * 3)(1, 2, 3)))
            print(np.asarray(((ctypes.c_int * 2) * 2)((1, 2), (3, 4))).tolist())
        """
        assert printed(code) == ["[2.5 4.5] [1 2 3]", "[[1, 2], [3, 4]]"]
