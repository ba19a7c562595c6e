"""An index that was taken over, or somebody between: what it can do, which is nothing."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import json
import os
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import eryx
from eryx import InitializationError
from eryx.packages import Indexes, Lock, lock
from eryx.packages import _http as http_module
from servers import Authority
from simple_index import Index
from wheel_files import tar_bytes, wheel_bytes, zip_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture(autouse=True)
def own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("ERYX_CACHE_DIR", str(tmp_path / "own-cache"))


@pytest.fixture
def index() -> Iterator[Index]:
    with Index() as running:
        yield running


def plain(name: str = "a", version: str = "1.0") -> bytes:
    return wheel_bytes({f"{name}/__init__.py": ""}, name=name, version=version)


def files(*entries: dict[str, object]) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": JSON}, json.dumps({"files": list(entries)}).encode()


def entry(url: str, **more: object) -> dict[str, object]:
    return {"filename": url.rpartition("/")[2], "url": url, "hashes": {}, **more}


def locked(index: Index, *names: str, **more: object) -> Lock:
    return lock(names or ["a"], indexes=Indexes(index_url=index.url, **more))  # type: ignore[arg-type]


class TestSizes:
    def test_a_page_without_end(self, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        sent = []

        def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", "text/html")
            handler.send_header("Connection", "close")
            handler.end_headers()
            handler.close_connection = True
            while True:
                handler.wfile.write(b"<p>" * 20_000)
                sent.append(60_000)

        index.answers["/simple/a/"] = endless
        with pytest.raises(InitializationError, match="is larger than 32 MiB"):
            locked(index)
        assert sum(sent) < 64 << 20

    def test_a_page_that_unpacks_to_much(self, index: Index) -> None:
        packer = zlib.compressobj(9, wbits=31)
        bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
        headers = {"Content-Type": JSON, "Content-Encoding": "gzip"}
        index.answers["/simple/a/"] = (200, headers, bomb)
        with pytest.raises(InitializationError, match="is larger than 32 MiB"):
            locked(index)

    @pytest.mark.parametrize("encoding", ["zstd", "br", "gzip, gzip", "deflate"])
    def test_other_encodings(self, index: Index, encoding: str) -> None:
        headers = {"Content-Type": JSON, "Content-Encoding": encoding}
        index.answers["/simple/a/"] = (200, headers, gzip.compress(b"{}"))
        with pytest.raises(InitializationError, match="has the encoding"):
            locked(index)

    def test_a_file_that_is_announced_as_huge(self, index: Index) -> None:
        index.answers["/simple/a/"] = files(entry("/files/a-1.0-py3-none-any.whl"))
        headers = {"Content-Length": str(1 << 40)}
        index.answers["/files/a-1.0-py3-none-any.whl"] = (200, headers, b"PK")
        with pytest.raises(InitializationError, match="is larger than 512 MiB"):
            locked(index)

    def test_metadata_without_end(self, index: Index) -> None:
        index.add("a-1.0-py3-none-any.whl", plain(), metadata=b"Name: a\n" * (1 << 20))
        with pytest.raises(InitializationError, match="is larger than 4 MiB"):
            locked(index)

    def test_a_silent_server(self, index: Index) -> None:
        def silent(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.connection.settimeout(30)
            handler.connection.recv(1)

        index.answers["/simple/a/"] = silent
        with pytest.raises(InitializationError, match="cannot be fetched"):
            locked(index, timeout_s=0.3)

    @pytest.mark.parametrize("has_headers", [True, False])
    def test_one_that_drips(self, index: Index, has_headers: bool) -> None:
        """Each byte comes in time, all of them do not."""

        def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", "text/html")
            handler.send_header("Content-Length", "1000000")
            if has_headers:
                handler.end_headers()
            else:
                handler.flush_headers()
                handler.wfile.write(b"X-More: ")
            while True:
                handler.wfile.write(b"x")
                time.sleep(0.05)

        index.answers["/simple/a/"] = drip
        with (
            http_module.Client(Indexes(index_url=index.url), deadline_s=0.5) as client,
            pytest.raises(InitializationError, match=r"time for fetching packages is over|cannot"),
        ):
            client.get(f"{index.url}a/")

    def test_wheels_that_are_bombs(self, index: Index) -> None:
        """They are read as any package is, whose rules docs/security.md has."""
        bomb = zip_bytes({"a/x.py": bytes(300 << 20)})
        index.add("a-1.0-py3-none-any.whl", bomb)
        with pytest.raises(InitializationError, match="200 times as large"):
            locked(index)

    def test_metadata_that_hides_a_bomb(self, index: Index) -> None:
        info = {"a-1.0.dist-info/METADATA": "Name: a\nVersion: 1.0\n"}
        bomb = zip_bytes({**info, "a/x.py": bytes(300 << 20)})
        index.add("a-1.0-py3-none-any.whl", bomb, metadata=b"Name: a\nVersion: 1.0\n")
        found = locked(index)
        with pytest.raises(InitializationError, match="200 times as large"):
            eryx.SandboxFactory(lock=found)


class TestPlaces:
    def test_links_into_this_machine(self, index: Index, tmp_path: Path) -> None:
        target = tmp_path / "a-1.0-py3-none-any.whl"
        target.write_bytes(plain())
        index.answers["/simple/a/"] = files(entry(target.as_uri()))
        with pytest.raises(InitializationError, match="not on the web"):
            locked(index)
        index.answers["/simple/a/"] = files(entry("/files/a-1.0-py3-none-any.whl"))
        index.answers["/files/a-1.0-py3-none-any.whl"] = (302, {"Location": target.as_uri()}, b"")
        with pytest.raises(InitializationError, match="not on the web"):
            locked(index)
        index.answers["/simple/a/"] = (302, {"Location": target.as_uri()}, b"")
        with pytest.raises(InitializationError, match="not on the web"):
            locked(index)

    @pytest.mark.parametrize("scheme", ["git+https", "ftp", "javascript", "git+file"])
    def test_other_kinds_of_links(self, index: Index, scheme: str) -> None:
        index.answers["/simple/a/"] = files(entry(f"{scheme}://x.example/a-1.0-py3-none-any.whl"))
        with pytest.raises(InitializationError):
            locked(index)

    def test_from_tls_to_none(self, index: Index, tmp_path: Path) -> None:
        authority = Authority()
        file = tmp_path / "authority.pem"
        authority._authority.cert_pem.write_to_path(str(file))
        index.add("a-1.0-py3-none-any.whl", plain())
        open_address = index.url.replace("simple/", "files/a-1.0-py3-none-any.whl")
        with Index(tls=authority.context()) as safe:
            safe.answers["/simple/a/"] = files(entry(open_address))
            with pytest.raises(InitializationError, match="does without TLS"):
                locked(safe, cert=str(file))
            safe.answers["/simple/a/"] = (302, {"Location": f"{index.url}a/"}, b"")
            with pytest.raises(InitializationError, match="does without TLS"):
                locked(safe, cert=str(file))

    def test_an_index_elsewhere_without_tls(self) -> None:
        with pytest.raises(InitializationError, match="none of the trusted hosts"):
            lock(["a"], indexes=Indexes(index_url="http://index.example/simple/"))

    def test_redirections_without_end(self, index: Index) -> None:
        index.answers["/simple/a/"] = (302, {"Location": "/simple/a/"}, b"")
        with pytest.raises(InitializationError, match="too many redirections"):
            locked(index)

    def test_a_redirection_gets_no_password(self, index: Index) -> None:
        index.add("a-1.0-py3-none-any.whl", plain())
        with Index(password="s3cret") as private:
            private.answers["/simple/a/"] = (302, {"Location": f"{index.url}a/"}, b"")
            url = private.url_with_password()
            assert lock(["a"], indexes=Indexes(index_url=url)).packages == (("a", "1.0"),)
        assert set(index.authorizations) == {None}


class TestConfusion:
    """Somebody has put a package of the same name where others look, too."""

    def test_the_first_index_that_knows_a_name_has_it(self, index: Index) -> None:
        with Index() as private:
            private.add("a-1.0-py3-none-any.whl", plain("a", "1.0"))
            index.add("a-99.0-py3-none-any.whl", plain("a", "99.0"))
            index.add("b-1.0-py3-none-any.whl", plain("b", "1.0"))
            indexes = Indexes(index_url=index.url, extra_index_urls=(private.url,))
            assert lock(["a", "b"], indexes=indexes).packages == (("a", "1.0"), ("b", "1.0"))
            assert "/simple/a/" not in index.requests

    @pytest.mark.parametrize("status", [401, 403, 500, 503])
    def test_an_index_that_fails_is_not_passed_over(self, index: Index, status: int) -> None:
        index.add("a-99.0-py3-none-any.whl", plain("a", "99.0"))
        with Index() as private:
            private.answers["/simple/a/"] = (status, {}, b"")
            indexes = Indexes(index_url=index.url, extra_index_urls=(private.url,))
            with pytest.raises(InitializationError, match=f"HTTP status {status}"):
                lock(["a"], indexes=indexes)
        assert index.requests == []

    @pytest.mark.parametrize("kind", ["text/plain", "image/png", "application/json"])
    def test_what_is_no_page_is_not_passed_over(self, index: Index, kind: str) -> None:
        """Such as that of a hotel's network."""
        index.answers["/simple/a/"] = (200, {"Content-Type": kind}, b"please pay")
        with pytest.raises(InitializationError, match="is no page of an index"):
            locked(index)

    def test_files_of_other_packages_do_not_count(self, index: Index) -> None:
        index.answers["/simple/a/"] = files(
            entry("/files/b-9.0-py3-none-any.whl"),
            entry("/files/a-extra-9.0-py3-none-any.whl"),
            entry("/files/a-9.0-py3-none-any.whl%0a"),
            entry("/files/a-1.0-py3-none-any.whl"),
        )
        index.add("a-1.0-py3-none-any.whl", plain())
        assert locked(index).packages == (("a", "1.0"),)

    def test_a_file_that_is_another_package(self, index: Index) -> None:
        index.add("a-1.0-py3-none-any.whl", plain("evil", "1.0"))
        index.add("a-0.9-py3-none-any.whl", plain("a", "0.8"))
        index.add("a-0.5-py3-none-any.whl", plain(), metadata=b"Name: evil\nVersion: 0.5\n")
        with pytest.raises(InitializationError, match=r"is named as a 1.0, but is evil 1.0"):
            locked(index)

    def test_metadata_beside_a_file_that_differs_from_that_inside(self, index: Index) -> None:
        """The file decides what is installed, and a version that was not locked is refused."""
        other = wheel_bytes({"a.py": ""}, name="a", version="2.0")
        index.add("a-1.0-py3-none-any.whl", other, metadata=b"Name: a\nVersion: 1.0\n")
        found = locked(index)
        with pytest.raises(InitializationError, match=r"is named as a 1.0, but is a 2.0"):
            eryx.SandboxFactory(lock=found)

    def test_packages_want_none_from_elsewhere(self, index: Index) -> None:
        metadata = "Requires-Dist: b @ https://x.example/b-1.0-py3-none-any.whl\n"
        data = wheel_bytes({"a.py": ""}, name="a", version="1.0", metadata=metadata)
        index.add("a-1.0-py3-none-any.whl", data)
        with pytest.raises(InitializationError, match="wants b from an address of its own"):
            locked(index)


class TestDamage:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b'{"files": 1}',
            b'{"files": [1]}',
            b'{"files": [{"url": 1}]}',
            b'{"files": [{"url": "http://[::1"}]}',
            b'{"files": [{"url": "a-1.0.tar.gz", "hashes": [], "upload-time": 1}]}',
            b'{"files": [{"url": "a-1.0.tar.gz", "hashes": {"sha256": 1}}]}',
            b'{"files": [{"url": "a-1.0.tar.gz", "upload-time": "never"}]}',
            b'{"files": ' + b"[" * 100_000,
            b'{"files": ["\xff"]}',
        ],
    )
    def test_pages_that_are_malformed(self, index: Index, body: bytes) -> None:
        index.answers["/simple/a/"] = (200, {"Content-Type": JSON}, body)
        with pytest.raises(InitializationError):
            locked(index)

    def test_pages_of_html_that_are_malformed(self, index: Index) -> None:
        body = b"<base href='http://[::1'><a href='a-1.0.tar.gz'>" + b"<a" * 1000
        index.answers["/simple/a/"] = (200, {"Content-Type": "text/html"}, body)
        with pytest.raises(InitializationError):
            locked(index)

    def test_a_wrong_hash_is_no_reason_to_take_an_older_version(self, index: Index) -> None:
        index.add("a-2.0-py3-none-any.whl", plain("a", "2.0"), sha256="0" * 64)
        index.add("a-1.0-py3-none-any.whl", plain())
        with pytest.raises(InitializationError, match="its sha256 is not the one"):
            locked(index)

    def test_hashes_that_prove_nothing_are_not_believed(self, index: Index) -> None:
        """The lock gets the hash of what came, when the index has none that counts."""
        data = plain()
        index.add("a-1.0-py3-none-any.whl", data)
        index.answers["/simple/a/"] = files(
            entry("/files/a-1.0-py3-none-any.whl", hashes={"md5": "00"})
        )
        assert hashlib.sha256(data).hexdigest() in locked(index).to_toml()

    def test_a_damaged_file_of_the_cache_is_fetched_anew(
        self, index: Index, tmp_path: Path
    ) -> None:
        index.add("a-1.0-py3-none-any.whl", plain())
        found = locked(index)
        found.fetch()
        for file in (tmp_path / "own-cache" / "downloads").iterdir():
            file.write_bytes(b"something else")
        assert found.fetch() == [("a-1.0-py3-none-any.whl", plain())]

    def test_a_cache_of_others_is_refused(self, index: Index, tmp_path: Path) -> None:
        folder = tmp_path / "own-cache" / "downloads"
        folder.mkdir(parents=True)
        folder.chmod(0o777)
        index.add("a-1.0-py3-none-any.whl", plain())
        with pytest.raises(InitializationError, match="other users could put files"):
            locked(index)

    def test_names_are_shown_without_what_moves_a_terminal(self, index: Index) -> None:
        index.answers["/simple/a/"] = (302, {"Location": "ftp://x.example/\x1b[2J"}, b"")
        with pytest.raises(InitializationError) as caught:
            locked(index)
        assert str(caught.value).isprintable()

    def test_source_archives_that_lead_out(self, index: Index) -> None:
        index.add("a-1.0.tar.gz", tar_bytes({"a-1.0/../../evil.py": ""}))
        with pytest.raises(InitializationError, match=r"has '..' in its path"):
            locked(index)

    def test_a_web_of_versions_that_fit_nowhere_is_given_up(self, index: Index) -> None:
        for name in "bcdef":
            for version in range(5):
                data = wheel_bytes(
                    {f"{name}.py": ""},
                    name=name,
                    version=f"{version}.0",
                    metadata=f"Requires-Dist: z=={version}.{ord(name)}\n",
                )
                index.add(f"{name}-{version}.0-py3-none-any.whl", data)
                zed = f"{version}.{ord(name)}"
                index.add(f"z-{zed}-py3-none-any.whl", plain("z", zed))
        with pytest.raises(InitializationError, match="nothing fits"):
            locked(index, *"bcdef")
