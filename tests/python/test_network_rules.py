"""Which hosts and addresses a guest may reach, by rules and by on_connect."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from functools import partial
from textwrap import dedent
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

import eryx
from eryx import NetConfig, ResourceLimits, Sandbox, Session
from network_helpers import CONNECT, LOCAL, execute, run
from servers import (
    HOST,
    DnsServer,
    EchoServer,
    HostileDnsServer,
    HttpServer,
    dns_alias,
    garbage,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_isolation")


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


# Every way to write what is not public, and how it is refused. What the host makes of each text,
# with many more, is in tests/c/test_net_address.c.
_LOOPBACK = "address 127.0.0.1 is blocked: loopback"
_OWN_NAME = "host 'localhost' is blocked: it is a name of the host itself"
NOT_PUBLIC = {
    "127.0.0.1": _LOOPBACK,
    "127.0.0.1.": _LOOPBACK,
    "127.1": _LOOPBACK,
    "127.0.1": _LOOPBACK,
    "2130706433": _LOOPBACK,
    "0x7f000001": _LOOPBACK,
    "0X7F.1": _LOOPBACK,
    "0177.0.0.1": _LOOPBACK,
    "017700000001": _LOOPBACK,
    "１２７.0.0.1": _LOOPBACK,
    "①27.0.0.1": _LOOPBACK,
    "127。0。0。1": _LOOPBACK,
    "::ffff:127.0.0.1": _LOOPBACK,
    "::FFFF:7F00:1": _LOOPBACK,
    "localhost": _OWN_NAME,
    "LOCALHOST.": _OWN_NAME,
    "ⓛocalhost": _OWN_NAME,
    "ｌｏｃａｌｈｏｓｔ": _OWN_NAME,
    "loc\u00adalhost": _OWN_NAME,
    "a.localhost": "host 'a.localhost' is blocked: it is a name of the host itself",
    "ip6-localhost": "host 'ip6-localhost' is blocked: it is a name of the host itself",
    "0": "address 0.0.0.0 is blocked: unspecified",
    "0.0.0.0": "address 0.0.0.0 is blocked: unspecified",
    "::": "address :: is blocked: unspecified",
    "::1": "address ::1 is blocked: loopback",
    "0:0:0:0:0:0:0:1": "address ::1 is blocked: loopback",
    "::0.0.0.1": "address ::1 is blocked: loopback",
    "::1%1": "address ::1 is blocked: loopback",
    "::1%lo": "'::1%lo' is not an IPv6 address",
    "[::1]": "the host name has a character that is not allowed: 0x5b",
    "::127.0.0.1": "address ::127.0.0.1 is blocked: loopback",
    "::ffff:0:127.0.0.1": "address ::ffff:0:7f00:1 is blocked: loopback",
    "64:ff9b::127.0.0.1": "address 64:ff9b::7f00:1 is blocked: loopback",
    "64:ff9b:1::1": "address 64:ff9b:1::1 is blocked: reserved",
    "2002:7f00:1::": "address 2002:7f00:1:: is blocked: loopback",
    "2001:0:5db8:d822::80ff:fffe": "address 2001:0:5db8:d822::80ff:fffe is blocked: loopback",
    "10.0.0.1": "address 10.0.0.1 is blocked: private network",
    "10.1": "address 10.0.0.1 is blocked: private network",
    "172.16.0.1": "address 172.16.0.1 is blocked: private network",
    "172.31.255.255": "address 172.31.255.255 is blocked: private network",
    "192.168.0.1": "address 192.168.0.1 is blocked: private network",
    "0xc0a80001": "address 192.168.0.1 is blocked: private network",
    "169.254.169.254": "address 169.254.169.254 is blocked: link-local",
    "0xa9fea9fe": "address 169.254.169.254 is blocked: link-local",
    "::ffff:169.254.169.254": "address 169.254.169.254 is blocked: link-local",
    "168.63.129.16": "address 168.63.129.16 is blocked: metadata service",
    "100.100.100.200": "address 100.100.100.200 is blocked: metadata service",
    "100.64.0.1": "address 100.64.0.1 is blocked: shared address space",
    "100.127.255.255": "address 100.127.255.255 is blocked: shared address space",
    "fc00::1": "address fc00::1 is blocked: unique local",
    "fd00:ec2::254": "address fd00:ec2::254 is blocked: unique local",
    "fe80::1": "address fe80::1 is blocked: link-local",
    "fe80::1%1": "address fe80::1 is blocked: link-local",
    "fe80::1%eth0": "'fe80::1%eth0' is not an IPv6 address",
    "fec0::1": "address fec0::1 is blocked: site-local",
    "224.0.0.1": "address 224.0.0.1 is blocked: multicast",
    "ff02::1": "address ff02::1 is blocked: multicast",
    "240.0.0.1": "address 240.0.0.1 is blocked: reserved",
    "255.255.255.255": "address 255.255.255.255 is blocked: reserved",
    "192.0.2.1": "address 192.0.2.1 is blocked: documentation",
    "198.18.0.1": "address 198.18.0.1 is blocked: benchmarking",
}


class TestRules:
    @pytest.mark.parametrize("how", ["create_connection", "connect", "asyncio"])
    @pytest.mark.parametrize(
        "network",
        [NetConfig(), NetConfig(allowed_hosts=["*"]), NetConfig(allow_all_hosts=True)],
        ids=["default", "star", "all"],
    )
    def test_what_is_not_public_is_refused(
        self, network: NetConfig, how: str, echo: EchoServer
    ) -> None:
        accepted = echo.accepted
        done = run(
            """
            import asyncio, socket, sys
            async def attempt(how, host, port):
                if how == "create_connection":
                    socket.create_connection((host, port))
                elif how == "connect":
                    family = socket.AF_INET6 if ":" in host else socket.AF_INET
                    socket.socket(family).connect((host, port))
                else:
                    await asyncio.open_connection(host, port)
            for host in sys.argv[3:]:
                try:
                    await attempt(sys.argv[1], host, int(sys.argv[2]))
                    print("connected")
                except PermissionError as error:
                    print(error.strerror)
            """,
            how,
            echo.port,
            *NOT_PUBLIC,
            network=network,
        )
        assert dict(zip(NOT_PUBLIC, done.stdout.splitlines(), strict=True)) == NOT_PUBLIC
        assert [connection.refused for connection in done.connections] == [*NOT_PUBLIC.values()]
        assert echo.accepted == accepted

    def test_an_allowlist_opens_nothing_else(self, echo: EchoServer) -> None:
        config = NetConfig(allowed_hosts=["api.example.com"])
        for host, reason in (
            ("127.0.0.1", "address 127.0.0.1 is blocked: loopback"),
            ("localhost", "host 'localhost' is blocked: it is a name of the host itself"),
            ("192.0.3.1", "address 192.0.3.1 is not in the allowed list"),
            ("example.com", "host 'example.com' is not in the allowed list"),
            ("other.example.com", "host 'other.example.com' is not in the allowed list"),
            ("api.example.com.evil.org", "host 'api.example.com.evil.org' is not in the"),
        ):
            done = run(CONNECT, host, echo.port, network=config)
            assert done.stdout.startswith(f"PermissionError [Errno 2] {reason}")

    def test_the_error_names_the_rule(self) -> None:
        for config, host, words in (
            (NetConfig(blocked_hosts=["*.evil.example"]), "www.evil.example", "*.evil.example"),
            (NetConfig(allowed_hosts=["good.example"]), "bad.example", "allowed"),
            (NetConfig(blocked_networks=["203.0.114.0/24"]), "203.0.114.9", "203.0.114.0/24"),
            (NetConfig(), "127.0.0.1", "127.0.0.1"),
            (NetConfig(), "10.0.0.1", "10.0.0.1"),
        ):
            done = run(CONNECT, host, 80, network=config)
            assert words in done.stdout
            assert host in done.stdout
            refused = done.connections[0].refused
            assert refused is not None
            assert words in refused

    def test_an_error_without_a_handler_names_the_rule(self) -> None:
        with pytest.raises(eryx.ExecutionError) as caught:
            run("import socket; socket.create_connection(('10.0.0.1', 80))", network=NetConfig())
        assert caught.value.exc_type == "PermissionError"
        assert "10.0.0.1" in caught.value.exc_message
        assert caught.value.connections[0].refused is not None

    def test_blocked_before_allowed(self, echo: EchoServer) -> None:
        config = LOCAL.allow_host("127.0.0.1").block_host("127.0.0.1")
        assert "PermissionError" in run(CONNECT, HOST, echo.port, network=config).stdout

    def test_ways_to_allow_what_is_not_public(self, echo: EchoServer) -> None:
        for config in (
            NetConfig().allow_localhost(),
            NetConfig(allow_all_hosts=False).allow_localhost(),
            NetConfig().allow_network("127.0.0.0/8"),
            NetConfig(allow_all_hosts=False).allow_network("127.0.0.1"),
            NetConfig(blocked_hosts=[]),
            NetConfig(blocked_hosts=[], allowed_hosts=["127.*"]),
            NetConfig().allow_internal_host("127.0.0.1"),
            NetConfig(internal_hosts=["127.*"]),
            NetConfig.permissive(),
        ):
            assert run(CONNECT, HOST, echo.port, network=config).stdout == "ping", repr(config)

    def test_localhost_is_allowed_by_name(self, echo: EchoServer) -> None:
        assert run(CONNECT, "localhost", echo.port).stdout == "ping"

    ODD_NAMES: ClassVar[dict[str, str]] = {
        "a" * 300: "UnicodeEncodeError 'idna' codec can't encode characters in position 0-299:",
        "a" * 64 + ".example": "UnicodeEncodeError 'idna' codec can't encode",
        "a..b": "UnicodeEncodeError 'idna' codec can't encode",
        "\ud800.example": "UnicodeEncodeError 'idna' codec can't encode",
        ("a" * 63 + ".") * 4 + "a": "PermissionError [Errno 2] the host name is too long: 257",
        "a.example\0.evil": "gaierror [Errno -2] the host name has a zero byte",
        "": "PermissionError [Errno 2] the host name is empty",
        "a b": "PermissionError [Errno 2] the host name has a character that is not allowed: 0x20",
        "a/b": "PermissionError [Errno 2] the host name has a character that is not allowed: 0x2f",
        "a@b": "PermissionError [Errno 2] the host name has a character that is not allowed: 0x40",
        "a\nb": "PermissionError [Errno 2] the host name has a character that is not allowed: 0x0a",
    }

    def test_odd_names_are_refused_cleanly(self) -> None:
        code = f"""
            import socket
            for name in {list(self.ODD_NAMES)!r}:
                try:
                    print(socket.create_connection((name, 80)))
                except (OSError, ValueError) as error:
                    print(type(error).__name__, error)
        """
        with DnsServer() as dns:
            done = run(code, network=NetConfig(dns_servers=[dns.address]))
            assert dns.queries == []
        lines = done.stdout.splitlines()
        for line, expected in zip(lines, self.ODD_NAMES.values(), strict=True):
            assert line.startswith(expected)

    def test_names_that_are_not_ascii_are_those_that_they_stand_for(self, echo: EchoServer) -> None:
        name = "xn--bcher-kva.test"
        with DnsServer({name: [[HOST]]}) as dns:
            config = NetConfig(dns_servers=[dns.address], allowed_hosts=["*.test"])
            refused = run(CONNECT, "bücher.test", echo.port, network=config)
            config = config.allow_internal_host(name, network=HOST)
            assert run(CONNECT, "Bücher.TEST", echo.port, network=config).stdout == "ping"
        assert refused.stdout == (
            f"PermissionError [Errno 2] address 127.0.0.1 of host '{name}' is blocked: loopback"
        )

    def test_a_proxy_of_the_environment_is_no_way_around(self, echo: EchoServer) -> None:
        """It connects where it likes, so that it is what the rules are asked about."""
        accepted = echo.accepted
        done = run(
            """
            import os, sys, urllib.request
            os.environ["http_proxy"] = f"http://127.0.0.1:{sys.argv[1]}"
            try:
                print(urllib.request.urlopen("http://api.example.com/"))
            except OSError as error:
                print(error.reason)
            """,
            echo.port,
            network=NetConfig(allowed_hosts=["api.example.com"]),
        )
        assert done.stdout == "[Errno 2] address 127.0.0.1 is blocked: loopback"
        assert echo.accepted == accepted


def alias_of(target: str, query: bytes, good: bytes) -> bytes:
    """The answer of a hostile server that gives a loopback address through another name."""
    return dns_alias(query, target, "127.0.0.1")


class TestNames:
    def test_a_name_of_an_own_server(self, echo: EchoServer) -> None:
        with DnsServer({"svc.test": [["127.0.0.1"]]}) as dns:
            config = NetConfig(dns_servers=[dns.address], internal_hosts=["svc.test=127.0.0.0/8"])
            done = run(CONNECT, "svc.test", echo.port, network=config)
        assert done.stdout == "ping"
        assert done.connections[0].host == "svc.test"
        assert done.connections[0].address == "127.0.0.1"
        assert dns.queries == ["svc.test"] * 2  # once for IPv4 and once for IPv6

    def test_a_public_name_with_a_loopback_address(self, echo: EchoServer) -> None:
        accepted = echo.accepted
        with DnsServer({"www.test": [["127.0.0.1"]]}) as dns:
            for config in (
                NetConfig(dns_servers=[dns.address]),
                NetConfig(dns_servers=[dns.address], allowed_hosts=["www.test"]),
                NetConfig(dns_servers=[dns.address], allowed_hosts=["*"]),
            ):
                done = run(CONNECT, "www.test", echo.port, network=config)
                reason = "address 127.0.0.1 of host 'www.test' is blocked: loopback"
                assert done.stdout == f"PermissionError [Errno 2] {reason}"
                assert done.connections[0].refused == reason
        assert echo.accepted == accepted

    def test_a_pattern_of_addresses_fits_no_name(self, echo: EchoServer) -> None:
        accepted = echo.accepted
        name = "10.attacker.example"
        with DnsServer({name: [[HOST]]}) as dns:
            usual = NetConfig(dns_servers=[dns.address])
            for config, reason in (
                (usual.allow_internal_host("10.*"), f"address {HOST} of host '{name}' is blocked"),
                (usual.allow_internal_host(HOST), f"address {HOST} of host '{name}' is blocked"),
                (
                    NetConfig(
                        allowed_hosts=["api.example.com", "10.*"],
                        dns_servers=[dns.address],
                        internal_hosts=["10.*"],
                    ),
                    f"host '{name}' is not in the allowed list",
                ),
            ):
                done = run(CONNECT, name, echo.port, network=config)
                assert done.stdout.startswith(f"PermissionError [Errno 2] {reason}")
        assert echo.accepted == accepted

    def test_an_internal_name_leads_to_the_machine_only_if_that_is_said(
        self, echo: EchoServer
    ) -> None:
        accepted = echo.accepted
        answers: dict[str, list[list[str] | None]] = {
            "a.test": [[HOST]],
            "b.test": [["100.100.100.200"]],
        }
        with DnsServer(answers) as dns:
            usual = NetConfig(dns_servers=[dns.address])
            for config in (usual.allow_internal_host("*.test"), usual.allow_internal_host("*")):
                for name, first in (("a.test", HOST), ("b.test", "100.100.100.200")):
                    done = run(CONNECT, name, echo.port, network=config)
                    assert f"address {first} of host '{name}' is blocked" in done.stdout
                    assert "internal_hosts allows only with '='" in done.stdout
            assert echo.accepted == accepted
            said = usual.allow_internal_host("*.test", network="127.0.0.0/8")
            assert run(CONNECT, "a.test", echo.port, network=said).stdout == "ping"
            assert "PermissionError" in run(CONNECT, HOST, echo.port, network=said).stdout

    def test_an_internal_localhost_says_it(self, echo: EchoServer) -> None:
        config = NetConfig().allow_internal_host("localhost")
        assert run(CONNECT, "localhost", echo.port, network=config).stdout == "ping"
        assert "PermissionError" in run(CONNECT, HOST, echo.port, network=config).stdout

    def test_rebinding(self, echo: EchoServer) -> None:
        """A name that is public when it is looked up first, and loopback after that."""
        accepted = echo.accepted
        with DnsServer({"rebind.test": [["192.0.3.1"], ["127.0.0.1"]]}) as dns:
            config = NetConfig(dns_servers=[dns.address], allowed_hosts=["rebind.test"])
            done = run(
                """
                import socket, sys
                first = socket.getaddrinfo("rebind.test", 80, socket.AF_INET)
                print(first[0][4][0])
                try:
                    socket.create_connection(("rebind.test", int(sys.argv[1])), timeout=5)
                except PermissionError as error:
                    print(error.strerror)
                try:
                    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)
                except PermissionError as error:
                    print(error.strerror)
                """,
                echo.port,
                network=config,
            )
        reasons = [
            "address 127.0.0.1 of host 'rebind.test' is blocked: loopback",
            "address 127.0.0.1 is blocked: loopback",
        ]
        assert done.stdout.splitlines() == ["192.0.3.1", *reasons]
        assert [connection.refused for connection in done.connections] == reasons
        assert echo.accepted == accepted

    def test_an_address_has_the_rights_of_its_name(self, echo: EchoServer) -> None:
        """Programs look names up first and connect to the address after that."""
        code = """
            import socket, sys
            if sys.argv[2] == "lookup":
                print(socket.gethostbyname("svc.test"))
            try:
                socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                print("connected")
            except OSError as error:
                print(type(error).__name__)
        """
        with DnsServer({"svc.test": [["127.0.0.1"]]}) as dns:
            config = NetConfig(dns_servers=[dns.address], internal_hosts=["svc.test=127.0.0.0/8"])
            with_lookup = run(code, echo.port, "lookup", network=config)
            without = run(code, echo.port, "none", network=config)
        assert with_lookup.stdout == "127.0.0.1\nconnected"
        assert without.stdout == "PermissionError"

    def test_all_addresses_are_tried(self) -> None:
        with (
            EchoServer(host="127.0.0.3") as server,
            DnsServer({"many.test": [["127.0.0.1", "127.0.0.2", "127.0.0.3"]]}) as dns,
        ):
            config = NetConfig(dns_servers=[dns.address], internal_hosts=["many.test=127.0.0.0/8"])
            done = run(CONNECT, "many.test", server.port, network=config)
        assert done.stdout == "ping"
        assert done.connections[-1].address == "127.0.0.3"

    def test_only_allowed_addresses_are_given_out(self) -> None:
        with DnsServer({"mixed.test": [["10.0.0.1", "192.0.3.1", "127.0.0.1"]]}) as dns:
            done = run(
                """
                import socket
                print({entry[4][0] for entry in socket.getaddrinfo("mixed.test", 80)})
                """,
                network=NetConfig(dns_servers=[dns.address]),
            )
        assert done.stdout == "{'192.0.3.1'}"

    def test_a_name_that_does_not_exist(self) -> None:
        with DnsServer() as dns:
            done = run(CONNECT, "missing.test", 80, network=NetConfig(dns_servers=[dns.address]))
        assert done.stdout == "gaierror [Errno -2] Name does not resolve"

    def test_a_blocked_name_is_not_even_looked_up(self) -> None:
        with DnsServer({"www.test": [["192.0.3.1"]]}) as dns:
            config = NetConfig(dns_servers=[dns.address], blocked_hosts=["*.test"])
            run(CONNECT, "www.test", 80, network=config)
            assert dns.queries == []

    def test_names_are_looked_up_as_they_were_checked(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Search lists and aliases of the system would lead to a name that a rule blocks."""
        aliases = tmp_path / "aliases"
        aliases.write_text("safe vault.corp.example\n")
        monkeypatch.setenv("LOCALDOMAIN", "corp.example")
        monkeypatch.setenv("HOSTALIASES", str(aliases))
        monkeypatch.setenv("RES_OPTIONS", "ndots:3")
        answers: dict[str, list[list[str] | None]] = {
            f"{name}.corp.example": [["192.0.3.1"]] for name in ("vault", "a.b")
        }
        with DnsServer(answers) as dns:
            config = NetConfig(blocked_hosts=["*.corp.example"], dns_servers=[dns.address])
            for name in ("vault", "safe", "a.b"):
                done = run(CONNECT, name, 80, network=config)
                assert done.stdout == "gaierror [Errno -2] Name does not resolve"
            assert set(dns.queries) == {"vault", "safe", "a.b"}

    HOSTILE: ClassVar[dict[str, Callable[[bytes, bytes], bytes]]] = {
        "garbage": lambda query, good: garbage(300),
        "empty": lambda query, good: b"",
        "only the id": lambda query, good: query[:2],
        "another id": lambda query, good: bytes([query[0] ^ 1]) + good[1:],
        "cut off": lambda query, good: good[:-3],
        "many records": lambda query, good: good[:6] + b"\xff\xff" + good[8:],
        "a loop of pointers": lambda query, good: good[:12] + b"\xc0\x0c" + good[14:],
        "truncated": lambda query, good: good[:2] + bytes([good[2] | 2]) + good[3:],
        "another question": lambda query, good: good[:12] + b"\x05other" + good[18:],
        "long": lambda query, good: good + garbage(60_000),
        "failure": lambda query, good: good[:3] + bytes([good[3] | 2]) + good[4:],
    }

    @pytest.mark.parametrize("kind", HOSTILE)
    def test_hostile_answers(self, kind: str, echo: EchoServer) -> None:
        accepted = echo.accepted
        answers: dict[str, list[list[str] | None]] = {"www.test": [["127.0.0.1"]]}
        with HostileDnsServer(self.HOSTILE[kind], answers) as dns:
            config = NetConfig(connect_timeout_ms=1_000, dns_servers=[dns.address])
            done = run(CONNECT, "www.test", echo.port, network=config)
        assert "rror" in done.stdout
        assert echo.accepted == accepted

    def test_an_alias_has_no_other_rights(self, echo: EchoServer) -> None:
        accepted = echo.accepted
        answers: dict[str, list[list[str] | None]] = {"www.test": [["192.0.3.1"]]}
        for target in ("localhost", "intern.test"):
            with HostileDnsServer(partial(alias_of, target), answers) as dns:
                config = NetConfig(dns_servers=[dns.address], internal_hosts=["intern.test"])
                done = run(CONNECT, "www.test", echo.port, network=config)
            reason = "address 127.0.0.1 of host 'www.test' is blocked: loopback"
            assert done.stdout == f"PermissionError [Errno 2] {reason}"
            assert echo.accepted == accepted

    def test_an_alias_of_an_internal_host(self, echo: EchoServer) -> None:
        answers: dict[str, list[list[str] | None]] = {"www.test": [["192.0.3.1"]]}
        with HostileDnsServer(partial(alias_of, "elsewhere.test"), answers) as dns:
            config = NetConfig(dns_servers=[dns.address], internal_hosts=["www.test=127.0.0.0/8"])
            done = run(CONNECT, "www.test", echo.port, network=config)
        assert done.stdout == "ping"
        assert done.connections[-1].host == "www.test"

    def test_patterns(self) -> None:
        names = ("a.test", "b.a.test", "c.b.a.test", "B.A.TEST.")
        with DnsServer({name.lower().rstrip("."): [["192.0.3.1"]] for name in names}) as dns:
            config = NetConfig(dns_servers=[dns.address], allowed_hosts=["*.a.test"])
            done = run(
                f"""
                import socket
                for name in {names!r}:
                    try:
                        socket.getaddrinfo(name, 80)
                        print(name)
                    except OSError:
                        pass
                """,
                network=config,
            )
        assert done.stdout.split() == ["b.a.test", "c.b.a.test", "B.A.TEST."]


# Makes a network namespace of its own in which this machine has public addresses: on an interface,
# as a second one of the same network, and by a route alone.
OWN_NAMESPACE = """
    import ctypes, os, subprocess, sys
    def configure():
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(0x40000000) != 0:
            return False
        for words in ("link set lo up", "addr add 8.8.4.4/24 dev lo", "addr add 8.8.4.5/24 dev lo",
                      "-6 addr add 2a00::7/128 dev lo", "route add local 9.9.9.0/24 dev lo"):
            if subprocess.run(["ip", *words.split()], stderr=subprocess.DEVNULL).returncode != 0:
                return False
        return True
    try:
        made = configure()
    except OSError:
        made = False
    if not made:
        print("not permitted")
        sys.exit()
"""


class TestThisMachine:
    """Its public addresses lead to what listens on all interfaces."""

    def test_its_own_public_addresses_are_not_public(self, child: Callable[[str], str]) -> None:
        program = """
            import socket, sys
            for host in sys.argv[2:]:
                try:
                    with socket.create_connection((host, int(sys.argv[1])), timeout=20) as one:
                        print(host, one.recv(100).decode())
                except OSError as error:
                    print(host, error.strerror)
        """
        hosts = ["8.8.4.4", "8.8.4.5", "::ffff:8.8.4.4", "2a00::7", "9.9.9.9"]
        code = f"""
            import eryx, socket, threading
            server = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
            def serve():
                while True:
                    server.accept()[0].sendall(b"admin")
            threading.Thread(target=serve, daemon=True).start()
            def run(network):
                arguments = [str(server.getsockname()[1]), *{hosts}]
                box = eryx.Sandbox(network=network)
                done = box.execute({dedent(program)!r}, arguments=arguments)
                print(done.stdout)
                print([one.refused is not None for one in done.connections])
            run(eryx.NetConfig())
            run(eryx.NetConfig(allowed_networks=["8.8.4.0/24"]).allow_internal_host("9.9.9.9"))
            run(eryx.NetConfig().allow_localhost())
        """
        text = child(dedent(OWN_NAMESPACE) + dedent(code))
        if text == "not permitted":
            pytest.skip("needs the right to make a network namespace")
        reason = "is blocked: an address of this machine"
        refused = [f"{host} address {host.removeprefix('::ffff:')} {reason}" for host in hosts]
        opened = [f"{host} admin" for host in hosts]
        assert text.splitlines() == [
            *refused,
            "[True, True, True, True, True]",
            *opened[:3],
            refused[3],
            opened[4],
            "[False, False, False, True, False]",
            *opened,
            "[False, False, False, False, False]",
        ]


class TestOnConnect:
    def test_it_is_asked(self, echo: EchoServer) -> None:
        asked: list[tuple[Any, ...]] = []

        def on_connect(*arguments: Any) -> None:
            asked.append(arguments)

        config = NetConfig(on_connect=on_connect).allow_localhost()
        assert run(CONNECT, "localhost", echo.port, network=config).stdout == "ping"
        assert asked[-1] == ("localhost", "127.0.0.1", echo.port)
        count = len(asked)
        run(CONNECT, "10.0.0.1", echo.port, network=config)
        assert len(asked) == count

    @pytest.mark.parametrize("how", ["execute", "execute_async", "inside"])
    @pytest.mark.parametrize("is_async", [False, True])
    @pytest.mark.parametrize("answer", [True, None, False])
    def test_answers(self, echo: EchoServer, answer: bool | None, is_async: bool, how: str) -> None:
        def plain(host: str, address: str, port: int) -> bool | None:
            return answer

        async def later(host: str, address: str, port: int) -> bool | None:
            await asyncio.sleep(0.02)
            return answer

        config = NetConfig(on_connect=later if is_async else plain).allow_localhost()
        sandbox = Sandbox(network=config)
        done = execute(sandbox, CONNECT, HOST, echo.port, how=how)
        if answer is False:
            assert done.stdout.startswith("PermissionError")
            assert "permitted" in str(done.connections[0].refused)
        else:
            assert done.stdout == "ping"

    @pytest.mark.parametrize("is_async", [False, True])
    def test_what_it_raises_refuses_and_is_reported(
        self, echo: EchoServer, is_async: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reported: list[Any] = []
        monkeypatch.setattr("sys.unraisablehook", reported.append)

        def plain(host: str, address: str, port: int) -> bool:
            raise LookupError("a mistake")

        async def later(host: str, address: str, port: int) -> bool:
            raise LookupError("a mistake")

        config = NetConfig(on_connect=later if is_async else plain).allow_localhost()
        done = run(CONNECT, HOST, echo.port, network=config)
        assert done.stdout.startswith("PermissionError")
        assert "a mistake" not in done.stdout
        assert [str(entry.exc_value) for entry in reported] == ["a mistake"]

    def test_a_wrong_answer_refuses_and_is_reported(
        self, echo: EchoServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reported: list[Any] = []
        monkeypatch.setattr("sys.unraisablehook", reported.append)
        wrong: Any = lambda host, address, port: "yes"  # noqa: E731
        done = run(CONNECT, HOST, echo.port, network=NetConfig(on_connect=wrong).allow_localhost())
        assert done.stdout.startswith("PermissionError")
        assert "bool or None" in str(reported[0].exc_value)

    def test_keyboard_interrupt_ends_the_run(self, echo: EchoServer) -> None:
        def on_connect(host: str, address: str, port: int) -> bool:
            raise KeyboardInterrupt

        config = NetConfig(on_connect=on_connect).allow_localhost()
        with pytest.raises(KeyboardInterrupt):
            run(CONNECT, HOST, echo.port, network=config)

    @pytest.mark.parametrize("how", ["execute", "execute_async"])
    def test_one_that_takes_too_long(self, echo: EchoServer, how: str) -> None:
        cancelled = []

        async def on_connect(host: str, address: str, port: int) -> bool:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(port)
                raise
            return True

        config = NetConfig(on_connect=on_connect, connect_timeout_ms=100).allow_localhost()
        sandbox = Sandbox(network=config)
        done = execute(sandbox, CONNECT, HOST, echo.port, how=how)
        assert "Error" in done.stdout
        assert done.duration_ms < 30_000
        assert cancelled == [echo.port]

    @pytest.mark.parametrize("how", ["execute", "execute_async"])
    def test_the_time_of_the_run_holds(self, echo: EchoServer, how: str) -> None:
        async def on_connect(host: str, address: str, port: int) -> bool:
            await asyncio.sleep(60)
            return True

        sandbox = Sandbox(
            network=NetConfig(on_connect=on_connect).allow_localhost(),
            resource_limits=ResourceLimits(execution_timeout_ms=200),
        )
        with pytest.raises(eryx.TimeoutError):
            execute(sandbox, CONNECT, HOST, echo.port, how=how)

    def test_cancel_while_it_waits(self, echo: EchoServer) -> None:
        waits = threading.Event()

        async def on_connect(host: str, address: str, port: int) -> bool:
            waits.set()
            await asyncio.sleep(60)
            return True

        sandbox = Sandbox(network=NetConfig(on_connect=on_connect).allow_localhost())

        def cancel() -> None:
            waits.wait()
            sandbox.cancel()

        thread = threading.Thread(target=cancel)
        thread.start()
        with pytest.raises(eryx.CancelledError):
            sandbox.execute(dedent(CONNECT), arguments=[HOST, str(echo.port)])
        thread.join()

    def test_a_session(self, echo: EchoServer) -> None:
        ports: list[int] = []

        def on_connect(host: str, address: str, port: int) -> bool:
            ports.append(port)
            return len(ports) == 1

        with Session(network=NetConfig(on_connect=on_connect).allow_localhost()) as session:
            arguments = [HOST, str(echo.port)]
            assert session.execute(dedent(CONNECT), arguments=arguments).stdout == "ping"
            refused = session.execute(dedent(CONNECT), arguments=arguments)
            assert refused.stdout.startswith("PermissionError")
        assert ports == [echo.port] * 2

    def test_it_cannot_use_its_own_sandbox(self, echo: EchoServer) -> None:
        errors: list[Exception] = []

        def on_connect(host: str, address: str, port: int) -> bool:
            try:
                sandbox.execute("print(1)")
            except eryx.EryxError as error:
                errors.append(error)
            return True

        sandbox = Sandbox(network=NetConfig(on_connect=on_connect).allow_localhost())
        done = sandbox.execute(dedent(CONNECT), arguments=[HOST, str(echo.port)])
        assert done.stdout == "ping"
        assert len(errors) == 1


class TestCommand:
    """`eryx --net` and the like; the rest of the command is in test_cli.py."""

    @staticmethod
    def cli(*arguments: str, code: str = CONNECT, **environment: str) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "eryx", "-c", dedent(code), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment},
            check=False,
        )

    def test_no_network_without_a_flag(self, echo: EchoServer) -> None:
        done = self.cli("--", HOST, str(echo.port))
        assert done.stdout.startswith("PermissionError [Errno 2] the network is off")

    def test_net_keeps_what_is_not_public_closed(self, echo: EchoServer) -> None:
        for flags in (["--net"], ["--allow-host", "*"], ["--allow-host", "127.0.0.1"]):
            done = self.cli(*flags, "--", HOST, str(echo.port))
            assert done.stdout.startswith("PermissionError"), done

    def test_allow_host_opens_only_that(self, echo: EchoServer) -> None:
        for host in ("localhost", HOST, "192.0.3.1"):
            done = self.cli("--allow-host", "api.example.com", "--", host, str(echo.port))
            assert done.stdout.startswith("PermissionError"), done

    def test_allow_network(self, echo: EchoServer) -> None:
        done = self.cli("--allow-network", "127.0.0.0/8", "--", HOST, str(echo.port))
        assert done.stdout == "ping\n"
        done = self.cli("--allow-network", "127.0.0.0/8", "--", "192.0.3.1", "80")
        assert done.stdout.startswith("PermissionError")

    def test_json_lists_connections(self, echo: EchoServer) -> None:
        done = self.cli("--json", "--allow-network", HOST, "--", HOST, str(echo.port))
        (connection,) = json.loads(done.stdout)["connections"]
        assert connection["address"] == HOST
        assert connection["bytes_in"] == 4

    SEND = """
        import os, sys, urllib.request
        headers = {"Authorization": "Bearer " + os.environ["KEY"]}
        request = urllib.request.Request(sys.argv[1] + "/echo", headers=headers)
        try:
            print(urllib.request.urlopen(request).read().decode())
        except OSError as error:
            print("refused", error)
    """

    def test_secret(self) -> None:
        flags = ["--allow-network", HOST, "--secret", f"KEY=MINE@{HOST}"]
        with HttpServer() as server:
            done = self.cli(*flags, "--", server.url, code=self.SEND, MINE="open sesame")
            assert server.headers[-1]["Authorization"] == "Bearer open sesame", done
        assert "Authorization" in done.stdout
        assert "sesame" not in done.stdout + done.stderr

    def test_secret_for_another_host(self) -> None:
        flags = ["--allow-network", HOST, "--secret", "KEY=MINE@api.example.com"]
        with HttpServer() as server:
            done = self.cli(*flags, "--", server.url, code=self.SEND, MINE="open sesame")
            assert server.requests == []
        assert done.stdout.startswith("refused")
        assert "sesame" not in done.stdout + done.stderr

    def test_malformed_secrets(self) -> None:
        for text in (
            "KEY",
            "KEY=MINE",
            "KEY@host",
            "=MINE@host",
            "1=MINE@host",
            "KEY=MISSING@host",
        ):
            done = self.cli("--secret", text, MINE="open sesame")
            assert done.returncode == 2
            assert "usage" in done.stderr
            assert "sesame" not in done.stderr

    def test_malformed_patterns(self) -> None:
        for flags in (["--allow-host", "http://x"], ["--allow-network", "x"]):
            done = self.cli(*flags)
            assert done.returncode == 2
            assert "usage" in done.stderr
