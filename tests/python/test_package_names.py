"""Packages by name: looked up in indexes, locked, fetched."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

import eryx
from eryx import InitializationError
from eryx.packages import Indexes, Lock, lock
from servers import Authority, closed_port
from simple_index import Index
from toolchain.guest_packages import sources, wheels
from wheel_files import tar_bytes, wheel_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

PIP_VARIABLES = ("PIP_", "ERYX_CACHE_DIR", "XDG_CONFIG")


def wheel(name: str, version: str, *requires: str, more: str = "", code: str = "") -> bytes:
    metadata = "".join(f"Requires-Dist: {item}\n" for item in requires) + more
    text = code or f"version = {version!r}\n"
    return wheel_bytes({f"{name}/__init__.py": text}, name=name, version=version, metadata=metadata)


def put(index: Index, name: str, version: str, *requires: str, **more: str) -> None:
    index.add(f"{name}-{version}-py3-none-any.whl", wheel(name, version, *requires), **more)


@pytest.fixture(autouse=True)
def own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the configuration of this machine nor its cache."""
    for name in list(os.environ):
        if name.startswith(PIP_VARIABLES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("ERYX_CACHE_DIR", str(tmp_path / "own-cache"))


@pytest.fixture
def index() -> Iterator[Index]:
    with Index() as running:
        yield running


def at(index: Index, **more: object) -> Indexes:
    return Indexes(index_url=index.url, **more)  # type: ignore[arg-type]


def names(locked: Lock) -> list[str]:
    return [f"{name} {version}" for name, version in locked.packages]


class TestLookUp:
    def test_dependencies_with_markers_and_extras_of_the_guest(self, index: Index) -> None:
        put(index, "a", "1.0", "b>=1", "c; sys_platform == 'linux'", "d; extra == 'more'")
        put(index, "b", "1.0")
        put(index, "b", "1.5", "e; python_version >= '3.14'")
        put(index, "d", "2.0")
        put(index, "e", "1.0")
        assert names(lock(["a"], indexes=at(index))) == ["a 1.0", "b 1.5", "e 1.0"]
        assert names(lock(["A[more]"], indexes=at(index)))[2] == "d 2.0"

    def test_an_index_in_html(self, index: Index) -> None:
        index.as_html = True
        put(index, "a", "1.0", "b")
        put(index, "b", "1.0", requires_python=">=3.8")
        put(index, "b", "2.0", requires_python="<3.14")
        put(index, "b", "1.1", yanked=True)  # type: ignore[arg-type]
        locked = lock(["a"], indexes=at(index))
        assert names(locked) == ["a 1.0", "b 1.0"]
        assert [name for name, _ in locked.fetch()] == [
            "a-1.0-py3-none-any.whl",
            "b-1.0-py3-none-any.whl",
        ]
        assert names(lock(["b==1.1"], indexes=at(index))) == ["b 1.1"]

    def test_metadata_beside_the_file_is_enough(self, index: Index) -> None:
        data = wheel("a", "1.0", "b")
        metadata = b"Metadata-Version: 2.1\nName: a\nVersion: 1.0\nRequires-Dist: b\n"
        index.add("a-1.0-py3-none-any.whl", data, metadata=metadata)
        put(index, "b", "1.0")
        locked = lock(["a"], indexes=at(index))
        assert names(locked) == ["a 1.0", "b 1.0"]
        assert "/files/a-1.0-py3-none-any.whl.metadata" in index.requests
        assert "/files/a-1.0-py3-none-any.whl" not in index.requests

    def test_native_wheels_before_pure_ones_before_source_archives(self, index: Index) -> None:
        source = {"a-1.0/PKG-INFO": "Name: a\nVersion: 1.0\n", "a-1.0/a/__init__.py": ""}
        index.add("a-1.0.tar.gz", tar_bytes(source))
        assert lock(["a"], indexes=at(index)).fetch()[0][0] == "a-1.0.tar.gz"
        put(index, "a", "1.0")
        assert lock(["a"], indexes=at(index)).fetch()[0][0] == "a-1.0-py3-none-any.whl"
        native = "a-1.0-cp314-cp314-wasi_wasm32.whl"
        contents = wheel_bytes(
            {"a/__init__.py": ""}, name="a", version="1.0", tags=("cp314-cp314-wasi_wasm32",)
        )
        index.add(native, contents)
        assert lock(["a"], indexes=at(index)).fetch()[0][0] == native

    def test_what_has_compiled_code_only(self, index: Index) -> None:
        """The error says what there is, and how to make what there is not."""
        data = wheel_bytes(
            {"n.py": ""}, name="n", version="2.0", tags=("cp314-cp314-linux_x86_64",)
        )
        index.add("n-2.0-cp314-cp314-linux_x86_64.whl", data)
        pyproject = "[build-system]\nrequires = []\nbuild-backend = 'mesonpy'\n"
        info = "Name: n\nVersion: 2.0\n"
        archive = tar_bytes({"n-2.0/PKG-INFO": info, "n-2.0/pyproject.toml": pyproject})
        index.add("n-2.0.tar.gz", archive)
        with pytest.raises(InitializationError) as caught:
            lock(["n"], indexes=at(index))
        assert "n-2.0.tar.gz: is built by mesonpy" in str(caught.value)
        assert "eryx build-wheel" in str(caught.value)

    def test_prebuilt_ones_before_source_archives(
        self, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of eryx-science, also where the index has newer sources."""
        file = tmp_path / "n-1.0-cp314-cp314-wasi_wasm32.whl"
        tags = ("cp314-cp314-wasi_wasm32",)
        file.write_bytes(wheel_bytes({"n.py": ""}, name="n", version="1.0", tags=tags))
        science = SimpleNamespace(
            folder=tmp_path,
            wheels={"n": file.name},
            needs={"n": ["a"]},
            wheel_paths=lambda names: [file for _ in names],
        )
        monkeypatch.setattr("eryx.native._prebuilt.installed", lambda: science)
        source = {"n-2.0/PKG-INFO": "Name: n\nVersion: 2.0\n", "n-2.0/n/__init__.py": ""}
        index.add("n-2.0.tar.gz", tar_bytes(source))
        put(index, "a", "1.0")
        locked = lock(["n"], indexes=at(index))
        assert names(locked) == ["a 1.0", "n 1.0"]
        assert locked.fetch()[1][0] == file.name
        put(index, "n", "3.0")
        assert names(lock(["n"], indexes=at(index))) == ["n 3.0"]

    def test_source_archives_run_nothing(self, index: Index, tmp_path: Path) -> None:
        """A setup.py of an archive is never run, not to ask for its metadata either."""
        mark = tmp_path / "was-run"
        files = {
            "a-1.0/PKG-INFO": "Name: a\nVersion: 1.0\n",
            "a-1.0/setup.py": f"open({str(mark)!r}, 'w')\n",
            "a-1.0/a/__init__.py": "",
        }
        index.add("a-1.0.tar.gz", tar_bytes(files))
        index.add("b-1.0.tar.gz", tar_bytes({"b-1.0/setup.py": f"open({str(mark)!r}, 'w')\n"}))
        assert names(lock(["a"], indexes=at(index))) == ["a 1.0"]
        with pytest.raises(InitializationError, match="does not say its name and version"):
            lock(["b"], indexes=at(index))
        assert not mark.exists()

    def test_goes_back_over_versions_that_are_no_use(self, index: Index) -> None:
        index.add("a-2.0-py3-none-any.whl", b"PK no wheel")
        put(index, "a", "1.0")
        assert names(lock(["a"], indexes=at(index))) == ["a 1.0"]

    def test_what_cannot_be_met(self, index: Index) -> None:
        put(index, "a", "1.0", "b>=2")
        put(index, "b", "1.0")
        with pytest.raises(InitializationError, match=r"nothing fits b>=2 \(wanted by a 1.0\)"):
            lock(["a"], indexes=at(index))
        with pytest.raises(InitializationError, match="there is none"):
            lock(["absent"], indexes=at(index))
        with pytest.raises(InitializationError, match="cannot be fetched"):
            lock(["a"], indexes=Indexes(index_url=f"http://127.0.0.1:{closed_port()}/"))

    def test_earlier_versions_are_kept(self, index: Index) -> None:
        put(index, "a", "1.0")
        earlier = lock(["a"], indexes=at(index))
        put(index, "a", "2.0")
        assert names(lock(["a"], indexes=at(index), earlier=earlier)) == ["a 1.0"]
        assert names(lock(["a>1"], indexes=at(index), earlier=earlier)) == ["a 2.0"]
        assert names(lock(["a"], indexes=at(index))) == ["a 2.0"]


class TestLocks:
    def test_written_and_read_in_the_standard_format(self, index: Index, tmp_path: Path) -> None:
        put(index, "a", "1.0", "b")
        put(index, "b", "1.0")
        file = tmp_path / "pylock.toml"
        lock(["a"], indexes=at(index)).write(file)
        document = tomllib.loads(file.read_text())
        assert document["lock-version"] == "1.0"
        digest = hashlib.sha256(index.offers["a-1.0-py3-none-any.whl"].data).hexdigest()
        assert document["packages"][0]["wheels"][0]["hashes"] == {"sha256": digest}
        assert document["packages"][0]["dependencies"] == [{"name": "b"}]
        index.offers.clear()  # all of it is in the cache
        factory = eryx.SandboxFactory(lock=file, imports=["a"])
        assert factory.packages == (("a", "1.0"), ("b", "1.0"))

    def test_files_of_a_folder_are_locked_by_their_path(self, tmp_path: Path) -> None:
        folder = tmp_path / "wheels"
        folder.mkdir()
        (folder / "a-1.0-py3-none-any.whl").write_bytes(wheel("a", "1.0"))
        indexes = Indexes(no_index=True, find_links=(str(folder),))
        lock(["a"], indexes=indexes).write(tmp_path / "pylock.toml")
        text = (tmp_path / "pylock.toml").read_text()
        assert 'path = "wheels/a-1.0-py3-none-any.whl"' in text
        assert Lock.read(tmp_path / "pylock.toml").fetch()[0][1] == wheel("a", "1.0")

    def test_locks_of_other_tools(self, index: Index, tmp_path: Path) -> None:
        """They have files for many machines, and packages for other systems only."""
        put(index, "a", "1.0")
        data = index.offers["a-1.0-py3-none-any.whl"].data
        digest = hashlib.sha256(data).hexdigest()
        url = index.url.replace("simple/", "files/a-1.0-py3-none-any.whl")
        other = f'hashes = {{ sha256 = "{"0" * 64}" }}'
        text = f"""
            lock-version = "1.0"
            created-by = "another tool"
            [[packages]]
            name = "a"
            version = "1.0"
            wheels = [
                {{ url = "{index.url}a-1.0-cp314-cp314-win_amd64.whl", {other} }},
                {{ url = "{url}", size = {len(data)}, hashes = {{ sha256 = "{digest}" }} }},
            ]
            [[packages]]
            name = "colorama"
            version = "0.4"
            marker = "sys_platform == 'win32'"
            wheels = [{{ url = "{index.url}colorama-0.4-py3-none-any.whl", {other} }}]
        """
        file = tmp_path / "pylock.toml"
        file.write_text(text)
        assert names(Lock.read(file)) == ["a 1.0"]
        assert Lock.read(file).fetch() == [("a-1.0-py3-none-any.whl", data)]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("not toml", "is no lock"),
            ('lock-version = "2.0"\ncreated-by = "x"\npackages = []', "version 2.0"),
            ("a = [" * 2000, "is no lock"),
            (
                'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "a"\n'
                'directory = { path = "." }',
                "which are not taken",
            ),
            (
                'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "a"\nversion = "1"\n'
                'sdist = { url = "https://x.example/a-1.tar.gz", hashes = { md5 = "00" } }',
                "has no hash of sha256",
            ),
            (
                'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "a"\nversion = "1"\n'
                'sdist = { url = "ftp://x.example/a-1.tar.gz", hashes = { sha256 = "00" } }',
                "not an address of the web",
            ),
            (
                'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "a"\nversion = "1"\n'
                'sdist = { url = "https://x.example/b-1.tar.gz", hashes = { sha256 = "00" } }',
                "not consistent",
            ),
            (
                'lock-version = "1.0"\ncreated-by = "x"\nrequires-python = "<3.14"\npackages = []',
                "does not satisfy",
            ),
        ],
    )
    def test_what_is_refused(self, tmp_path: Path, text: str, reason: str) -> None:
        file = tmp_path / "pylock.toml"
        file.write_text(text)
        with pytest.raises(InitializationError, match=f"pylock.toml: .*{reason}"):
            Lock.read(file)

    def test_a_file_with_another_hash(self, index: Index, tmp_path: Path) -> None:
        put(index, "a", "1.0")
        locked = lock(["a"], indexes=at(index))
        index.offers["a-1.0-py3-none-any.whl"].data = wheel("a", "1.0", code="evil = 1")
        os.environ["ERYX_CACHE_DIR"] = str(tmp_path / "another")
        with pytest.raises(InitializationError, match="its sha256 is not the one"):
            locked.fetch()

    def test_must_fit_the_requirements(self, index: Index) -> None:
        put(index, "a", "1.0")
        locked = lock(["a"], indexes=at(index))
        eryx.SandboxFactory(requirements=["a>=1"], lock=locked)
        for requirement, reason in (("a>=2", "is locked as 1.0"), ("b", "is not in the lock")):
            with pytest.raises(InitializationError, match=f"{reason}; `eryx lock`"):
                eryx.SandboxFactory(requirements=[requirement], lock=locked)


class TestFactories:
    def test_requirements(self, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        put(index, "a", "1.0", "b")
        put(index, "b", "3.0")
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        factory = eryx.SandboxFactory(requirements=["a>=1"], imports=["a", "b"])
        assert factory.create_sandbox().execute("import b; print(b.version)").stdout == "3.0"

    def test_with_a_cache_nothing_is_asked_again(
        self, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(index, "a", "1.0")
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        eryx.SandboxFactory(requirements=["a"], imports=["a"], cache=True)
        index.requests.clear()
        eryx.SandboxFactory(requirements=["a"], imports=["a"], cache=True)
        assert index.requests == []
        eryx.SandboxFactory(requirements=["a"], imports=["a"])
        assert "/simple/a/" in index.requests

    def test_arguments_that_are_wrong(self) -> None:
        with pytest.raises(TypeError, match="requirements must be a sequence of str"):
            eryx.SandboxFactory(requirements="jinja2")
        with pytest.raises(TypeError, match="packages must be a list"):
            eryx.SandboxFactory(requirements=[], packages="jinja2")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("packages")
    for file in (*wheels("jinja2", "rich", "markdown-it-py", "mdurl", "pygments"),):
        (folder / file.name).write_bytes(file.read_bytes())
    for file in sources("markupsafe"):
        (folder / file.name).write_bytes(file.read_bytes())
    port = closed_port()
    command = [sys.executable, "-m", "pypiserver", "run", "-i", "127.0.0.1"]
    command += ["-p", str(port), "--disable-fallback", str(folder)]
    with open(folder.parent / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}/simple/"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, (folder.parent / "log").read_text()
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


class TestRealServer:
    """pypiserver, with the files that PyPI has."""

    def test_real_packages_are_locked_and_run(self, server: str, tmp_path: Path) -> None:
        locked = lock(["jinja2>=3", "rich"], indexes=Indexes(index_url=server))
        assert [name for name, _ in locked.packages] == [
            *("jinja2", "markdown-it-py", "markupsafe", "mdurl", "pygments", "rich")
        ]
        locked.write(tmp_path / "pylock.toml")
        factory = eryx.SandboxFactory(lock=tmp_path / "pylock.toml", imports=["jinja2", "rich"])
        code = "import jinja2; print(jinja2.Template('{{ x|e }}').render(x='<'))"
        assert factory.create_sandbox().execute(code).stdout == "&lt;"

    def test_pip_takes_the_files_of_a_lock(self, server: str, tmp_path: Path) -> None:
        """By their addresses and hashes."""
        locked = lock(["mdurl"], indexes=Indexes(index_url=server))
        document = tomllib.loads(locked.to_toml())
        wheel_entry = document["packages"][0]["wheels"][0]
        target = tmp_path / "target"
        command = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(target)]
        requirement = f"mdurl @ {wheel_entry['url']}#sha256={wheel_entry['hashes']['sha256']}"
        done = subprocess.run([*command, requirement], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert (target / "mdurl" / "__init__.py").exists()


class TestTls:
    def test_with_the_certificates_that_pip_is_told(self, tmp_path: Path) -> None:
        authority = Authority()
        file = tmp_path / "authority.pem"
        authority._authority.cert_pem.write_to_path(str(file))
        with Index(tls=authority.context()) as index:
            put(index, "a", "1.0")
            assert names(lock(["a"], indexes=at(index, cert=str(file)))) == ["a 1.0"]
            with pytest.raises(InitializationError, match="certificate"):
                lock(["a"], indexes=at(index))
            host = f"localhost:{index.port}"
            assert names(lock(["a"], indexes=at(index, trusted_hosts=(host,)))) == ["a 1.0"]


class TestPasswords:
    def test_go_to_their_index_alone_and_into_no_lock(self, index: Index) -> None:
        with Index(password="s3cret") as private:
            put(private, "own", "1.0", "a")
            put(index, "a", "1.0")
            indexes = Indexes(index_url=index.url, extra_index_urls=(private.url_with_password(),))
            locked = lock(["own"], indexes=indexes)
            assert names(locked) == ["a 1.0", "own 1.0"]
            locked.fetch()
            assert "s3cret" not in locked.to_toml()
            assert set(index.authorizations) == {None}

    def test_are_not_told_in_errors(self) -> None:
        with Index(password="s3cret") as private:
            wrong = private.url_with_password().replace("s3cret", "wr0ng")
            with pytest.raises(InitializationError, match="HTTP status 401") as caught:
                lock(["own"], indexes=Indexes(index_url=wrong))
        assert "wr0ng" not in str(caught.value)


class TestNilCost:
    def test_import_of_eryx_brings_none_of_it(self) -> None:
        code = """
import sys, eryx, eryx.packages
eryx.SandboxFactory(imports=["decimal"]).create_sandbox().execute("print(1)")
assert not {"resolvelib", "unearth", "httpx2", "tomli_w"} & set(sys.modules), sys.modules
assert not [name for name in sys.modules if name.startswith("eryx.packages._http")]
"""
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_a_missing_extra_says_how_to_get_it(self) -> None:
        code = """
import sys
sys.modules["unearth"] = sys.modules["resolvelib"] = None
import eryx
try:
    eryx.SandboxFactory(requirements=["jinja2"])
except eryx.EryxError as error:
    print(error)
"""
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert "pip install 'eryx-sandbox[install]'" in done.stdout
