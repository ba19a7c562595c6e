"""Versions, requirements and tags, as the library `packaging` reads them for the guest."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import eryx
from eryx.packages._standards import (
    GUEST_ENVIRONMENT,
    Requirement,
    Version,
    parse_tags,
    parse_version,
    wants_other_python,
)

sys.path.insert(0, str(Path(__file__).parents[2]))

from toolchain.lock import load_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class TestStandards:
    """What we ask of the library `packaging`, and add to it."""

    def test_library_is_that_of_the_lock_file(self) -> None:
        """It comes with eryx, unchanged; another one of the host is never taken."""
        carried = importlib.import_module("eryx._vendor.packaging")
        locked = {package.name: package.version for package in load_lock().python["wheel"]}
        assert carried.__version__ == locked["packaging"]
        assert Requirement.__mro__[1].__module__ == "eryx._vendor.packaging.requirements"

    def test_needs_no_packaging_on_the_host(self, child: Callable[[str], str]) -> None:
        code = """
        import sys
        sys.modules["packaging"] = None
        from eryx.packages import collect, resolve
        print(collect().packages)
        """
        assert child(code) == "()"

    @pytest.mark.parametrize(
        ("marker", "counts"),
        [
            ("sys_platform == 'wasi'", True),
            ("sys_platform == 'linux'", False),
            ("'linux' in sys_platform", False),
            ("platform_system != 'Linux' and platform_machine != 'x86_64'", True),
            ("python_version >= '3.14' and python_full_version < '3.15'", True),
            ("python_version in '3.13, 3.14'", True),
            ("os.name == 'posix'", True),
            ("implementation_name != 'cpython' or os_name == 'nt'", False),
            ("extra == 'Dev_X'", True),
            ("extra == 'other'", False),
        ],
    )
    def test_markers_are_about_the_guest(self, marker: str, counts: bool) -> None:
        """Whatever the host is."""
        requirement = Requirement(f"name; {marker}")
        assert requirement.counts(["dev-x"]) == counts
        assert requirement.counts() == (counts and "extra" not in marker)

    def test_names_are_normalized(self) -> None:
        requirement = Requirement("Name_x.Y[Extra_A,b] (>=1.0,!=1.5); os_name == 'posix'")
        assert (requirement.name, requirement.extras) == ("name-x-y", {"extra-a", "b"})
        assert requirement.shown == "name-x-y[b,extra-a]!=1.5,>=1.0"
        assert requirement.fits(Version("1.6rc1"))
        assert not requirement.fits(Version("1.5"))

    @pytest.mark.parametrize(
        "text",
        [
            *("", "-x", "name==", "name x", "name;", "na me", "name[", "name; x == 'y'"),
            *("name; os_name", "name; os_name ==", "name; (os_name == 'a'", "name; 'a' = 'b'"),
            *("name; os_name == 'a' extra", "name>=1.x", "name; os_name ~= 'x'", "x" * 5000),
            *("name; 'x' in extras", "name; 'a' == 'b'"),
            "name; " + "(" * 100 + "os_name == 'a'" + ")" * 100,
            "name; " + "(" * 100_000,
        ],
    )
    def test_no_requirement(self, text: str) -> None:
        with pytest.raises(ValueError, match="is not a requirement: ") as caught:
            Requirement(text)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 500

    def test_texts_without_end(self) -> None:
        """What a package says of itself takes no time without bounds."""
        with pytest.raises(ValueError, match="too long"):
            parse_version("1." * 1_000_000 + "1")
        many = ".".join(map(str, range(500)))
        with pytest.raises(ValueError, match="tags"):
            parse_tags([f"{'.'.join(f'py{n}' for n in range(500))}-{many}-{many}"])
        with pytest.raises(ValueError, match="tags"):
            parse_tags(f"py{number}-none-any" for number in range(2000))
        assert not wants_other_python(",".join([">=3.99"] * 1_000_000))

    def test_markers_know_the_guest(self, sandbox: eryx.Sandbox) -> None:
        """The environment that markers are evaluated in is what the guest says of itself."""
        done = sandbox.execute(
            dedent("""
            import os, platform, sys
            version = ".".join(map(str, sys.version_info[:3]))
            result = {
                "implementation_name": sys.implementation.name,
                "implementation_version": version,
                "os_name": os.name,
                "platform_machine": platform.machine(),
                "platform_python_implementation": platform.python_implementation(),
                "platform_release": platform.release(),
                "platform_system": platform.system(),
                "platform_version": platform.version(),
                "python_full_version": platform.python_version(),
                "python_version": ".".join(platform.python_version_tuple()[:2]),
                "sys_platform": sys.platform,
            }
            """)
        )
        assert done.result == GUEST_ENVIRONMENT


def test_import_time(child: Callable[[str], str]) -> None:
    """Nothing of this is imported with eryx."""
    code = """
    import eryx, sys
    print([name for name in sys.modules if "packages" in name or "packaging" in name])
    """
    assert child(code) == "[]"
