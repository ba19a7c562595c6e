"""The bill of materials of the wheel: well formed, complete, and true of what was built."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import sys
import textwrap
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import eryx

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from toolchain.lock import load_lock  # noqa: E402
from tools import sbom  # noqa: E402

BUILT = [("eryx/image.bin", b"image")]


def components(document: str) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in json.loads(document)["components"]}


@pytest.fixture(scope="module")
def made() -> str:
    return sbom.make_sbom("1.2.3", load_lock(), BUILT)


class TestDocument:
    def test_follows_the_schema(self, made: str) -> None:
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made) is None

    def test_same_contents_have_the_same_number(self, made: str) -> None:
        def serial(document: str) -> str:
            return str(json.loads(document)["serialNumber"])

        assert serial(sbom.make_sbom("1.2.3", load_lock(), BUILT)) == serial(made)
        assert serial(sbom.make_sbom("1.2.4", load_lock(), BUILT)) != serial(made)

    def test_time_can_be_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
        document = json.loads(sbom.make_sbom("1", load_lock(), []))
        assert document["metadata"]["timestamp"] == "1970-01-02T00:00:00Z"

    def test_each_part_says_where_it_is_from(self, made: str) -> None:
        found = components(made)
        openssl = found["openssl"]
        crate = load_lock().crates["openssl-src"]
        (reference,) = openssl["externalReferences"]
        assert reference["hashes"] == [{"alg": "SHA-256", "content": crate.sha256}]
        assert reference["url"].startswith("pkg:cargo/openssl-src@")
        assert openssl["cpe"] == f"cpe:2.3:a:openssl:openssl:{openssl['version']}:*:*:*:*:*:*:*"
        assert found["packaging"]["purl"].startswith("pkg:pypi/packaging@")
        image = found["eryx/image.bin"]
        assert image["hashes"][0]["content"] == hashlib.sha256(b"image").hexdigest()


class TestTruth:
    def test_everything_that_is_linked_in_is_listed(self) -> None:
        lock = load_lock()
        linked = {*lock.crates, *(entry.name for entry in lock.npm if entry.name != "binaryen")}
        for group in ("host-sources", "native-headers"):
            linked |= {package.name for package in lock.python[group]}
        assert linked <= {component.origin for component in sbom.COMPONENTS}

    def test_versions_in_the_guest(self, made: str) -> None:
        program = """
            import decimal, json, platform, pyexpat, sqlite3, ssl, zlib
            from compression import zstd
            library = ssl.OPENSSL_VERSION.split()
            source = sqlite3.connect(":memory:").execute("select sqlite_source_id()").fetchone()
            print(json.dumps({
                "cpython": platform.python_version(),
                "expat": pyexpat.EXPAT_VERSION.removeprefix("expat_"),
                "libmpdec": decimal.__libmpdec_version__,
                "openssl": library[1],
                "sqlite": sqlite3.sqlite_version,
                "zlib": zlib.ZLIB_RUNTIME_VERSION,
                "zstd": zstd.zstd_version,
                "openssl released": " ".join(library[2:]),
                "sqlite released": source[0].split()[0],
            }))
            """
        told = eryx.Sandbox().execute(textwrap.dedent(program))
        said: dict[str, str] = json.loads(told.stdout)
        found = components(made)
        dates = {name: found[name]["properties"][0]["value"] for name in ("openssl", "sqlite")}
        openssl_date = datetime.strptime(said.pop("openssl released"), "%d %b %Y")
        assert dates == {
            "openssl": openssl_date.strftime("%Y-%m-%d"),
            "sqlite": said.pop("sqlite released"),
        }
        assert {name: found[name]["version"] for name in said} == said

    def test_versions_of_crates_in_the_guest(self, made: str) -> None:
        found = components(made)
        lock = load_lock()
        for crate, name in (("bzip2-sys", "bzip2"), ("zstd-sys", "zstd")):
            version = lock.crates[crate].version.partition("+")[2]
            assert version.removeprefix("zstd.") == found[name]["version"]

    def test_versions_in_the_host(self, made: str) -> None:
        found = components(made)
        lock = load_lock()
        crate = lock.crates["openssl-src"]
        assert crate.version.partition("+")[2] == found["openssl"]["version"]
        packaging = next(e for e in lock.python["wheel"] if e.name == "packaging")
        assert found["packaging"]["version"] == packaging.version
        libraries = ROOT / "build" / "libraries"
        header = libraries / "include" / "ares_version.h"
        if not header.is_file():
            pytest.skip("c-ares was built elsewhere")
        version = re.search(r'ARES_VERSION_STR\s+"(.+)"', header.read_text())
        assert version is not None
        assert found["c-ares"]["version"] == version[1]
        parts = re.findall(
            r"LLHTTP_VERSION_\w+ (\d+)", (libraries / "llhttp" / "llhttp.h").read_text()
        )
        assert found["llhttp"]["version"] == ".".join(parts)
        header = libraries / "libdeflate" / "libdeflate.h"
        version = re.search(r'LIBDEFLATE_VERSION_STRING\s+"(.+)"', header.read_text())
        assert version is not None
        assert found["libdeflate"]["version"] == version[1]


def test_wheel_carries_it() -> None:
    try:
        distribution = importlib.metadata.distribution("eryx-sandbox")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("eryx is not installed as a wheel")
    document = distribution.read_text(f"sboms/{sbom.FILE_NAME}")
    assert document is not None
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None
    image = components(document)["eryx/image.bin"]
    installed = Path(str(distribution.locate_file("eryx/image.bin"))).read_bytes()
    assert image["hashes"][0]["content"] == hashlib.sha256(installed).hexdigest()
