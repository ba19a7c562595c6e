"""What a sandbox may reach: the configuration itself. What it does is in test_network.py."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import eryx
from eryx import NetConfig, Sandbox, Session
from servers import Authority

INTERNAL = ("localhost", "*.localhost", "127.*", "::1", "10.*", "172.16.*", "172.31.*")


class TestNetConfig:
    def test_defaults(self) -> None:
        config = NetConfig()
        assert config.max_connections == 10
        assert config.connect_timeout_ms == 30_000
        assert config.io_timeout_ms == 60_000
        assert config.max_total_connections == 1_000
        assert config.max_bytes is None
        assert config.allow_all_hosts is True
        assert config.allowed_hosts == []
        assert set(INTERNAL) <= set(config.blocked_hosts)
        assert {"192.168.*", "169.254.*"} <= set(config.blocked_hosts)
        assert config.blocked_networks == config.allowed_networks == config.internal_hosts == []
        assert config.dns_servers is None
        assert config.on_connect is None
        assert config.root_certificates == ()

    def test_all_fields(self) -> None:
        def on_connect(host: str, address: str, port: int) -> bool:
            return port == 443

        config = NetConfig(
            max_connections=3,
            connect_timeout_ms=1_000,
            io_timeout_ms=None,
            allow_all_hosts=False,
            allowed_hosts=("a.example", "*.b.example"),
            blocked_hosts=["c.example"],
            blocked_networks=["192.0.2.0/24"],
            allowed_networks=["10.1.0.0/16", "fd00::/8"],
            internal_hosts=["intra.example"],
            max_total_connections=None,
            max_bytes=1_000_000,
            dns_servers=["192.0.2.1", "192.0.2.2:5353", "2001:db8::1", "[2001:db8::2]:53"],
            on_connect=on_connect,
        )
        assert (config.max_connections, config.connect_timeout_ms) == (3, 1_000)
        assert (config.io_timeout_ms, config.max_total_connections) == (None, None)
        assert config.max_bytes == 1_000_000
        assert config.allow_all_hosts is False
        assert config.allowed_hosts == ["a.example", "*.b.example"]
        assert config.blocked_hosts[-1] == "c.example"
        assert config.blocked_networks == ["192.0.2.0/24"]
        assert config.allowed_networks == ["10.1.0.0/16", "fd00::/8"]
        assert config.internal_hosts == ["intra.example"]
        assert config.dns_servers == [
            "192.0.2.1:53",
            "192.0.2.2:5353",
            "[2001:db8::1]:53",
            "[2001:db8::2]:53",
        ]
        assert config.on_connect is on_connect

    def test_arguments_are_keyword_only(self) -> None:
        with pytest.raises(TypeError):
            NetConfig(10)  # type: ignore[call-arg]

    def test_an_allowlist_ends_all_hosts(self) -> None:
        assert NetConfig().allow_all_hosts
        assert not NetConfig(allowed_hosts=["a.example"]).allow_all_hosts
        assert not NetConfig().allow_host("a.example").allow_all_hosts
        assert NetConfig(allowed_hosts=[]).allow_all_hosts
        assert NetConfig(allow_all_hosts=True, allowed_hosts=["a.example"]).allow_all_hosts
        assert not NetConfig(allow_all_hosts=False).allow_all_hosts

    def test_an_empty_list_of_blocked_hosts_removes_the_default_one(self) -> None:
        assert NetConfig(blocked_hosts=[]).blocked_hosts == []
        assert NetConfig(blocked_hosts=[]).block_host("a.example").blocked_hosts == ["a.example"]

    def test_another_list_of_blocked_hosts_only_adds(self) -> None:
        config = NetConfig(blocked_hosts=["a.example"])
        assert config.blocked_hosts == [*NetConfig().blocked_hosts, "a.example"]

    def test_a_copy_of_the_default_list_is_the_default_list(self) -> None:
        assert NetConfig(blocked_hosts=NetConfig().blocked_hosts) == NetConfig()
        extended = NetConfig(blocked_hosts=[*NetConfig().blocked_hosts, "a.example"])
        assert extended == NetConfig().block_host("a.example")

    def test_permissive(self) -> None:
        config = NetConfig.permissive()
        assert config.max_connections == 100
        assert config.allow_all_hosts
        assert config.blocked_hosts == []
        assert config.allow_host("a.example").allow_all_hosts

    def test_methods_give_a_new_configuration(self) -> None:
        first = NetConfig()
        second = (
            first.allow_host("a.example")
            .block_host("b.example")
            .allow_localhost()
            .allow_network("10.0.0.1/8")
            .allow_internal_host("intra.example")
            .with_root_cert(b"0\x03\x02\x01\x01")
        )
        assert first == NetConfig()
        assert isinstance(second, NetConfig)
        assert second.allowed_hosts == ["a.example"]
        assert "b.example" in second.blocked_hosts
        assert not {"localhost", "127.*", "::1"} & set(second.blocked_hosts)
        assert "10.*" in second.blocked_hosts
        assert second.allowed_networks == ["10.0.0.0/8"]
        assert second.internal_hosts == ["intra.example"]
        assert second.root_certificates == (b"0\x03\x02\x01\x01",)

    def test_allow_localhost_takes_back_what_was_blocked_by_hand(self) -> None:
        config = NetConfig(blocked_hosts=[]).block_host("LOCALHOST").block_host("a.example")
        assert config.allow_localhost().blocked_hosts == ["a.example"]

    def test_lists_are_copies(self) -> None:
        hosts = ["a.example"]
        config = NetConfig(allowed_hosts=hosts)
        hosts.append("b.example")
        config.allowed_hosts.append("c.example")
        assert config.allowed_hosts == ["a.example"]

    def test_attributes_cannot_be_set(self) -> None:
        config = NetConfig()
        for name in ("max_connections", "allowed_hosts", "allow_all_hosts", "_core", "other"):
            with pytest.raises(AttributeError):
                setattr(config, name, 1)
        with pytest.raises(AttributeError):
            del config.max_connections

    def test_repr_names_the_hosts(self) -> None:
        config = NetConfig(allowed_hosts=["a.example"], internal_hosts=["intra.example"])
        text = repr(config.block_host("b.example"))
        assert text.startswith("NetConfig(max_connections=10, connect_timeout_ms=30000")
        for word in ("a.example", "b.example", "intra.example", "localhost"):
            assert word in text
        assert repr(eval(repr(config))) == repr(config)
        changed = repr(NetConfig().allow_localhost().with_root_cert(b"secret bytes"))
        assert changed.endswith(".allow_localhost().with_root_cert(<12 bytes>)")
        assert "secret" not in changed

    def test_equality_hash_copy_and_pickle(self) -> None:
        config = NetConfig(max_bytes=5).allow_host("a.example").allow_localhost()
        same = NetConfig(max_bytes=5).allow_host("a.example").allow_localhost()
        assert config == same
        assert hash(config) == hash(same)
        assert config != config.allow_host("b.example")
        assert config != 1
        for other in (copy.copy(config), copy.deepcopy(config)):
            assert other == config
        assert pickle.loads(pickle.dumps(config)) == config

    @pytest.mark.parametrize(
        "arguments",
        [
            {"max_connections": None},
            {"max_connections": "10"},
            {"max_connections": True},
            {"connect_timeout_ms": 1.5},
            {"io_timeout_ms": "1"},
            {"max_total_connections": b"1"},
            {"max_bytes": []},
            {"allow_all_hosts": 1},
            {"allowed_hosts": "a.example"},
            {"allowed_hosts": b"a.example"},
            {"allowed_hosts": 1},
            {"allowed_hosts": [b"a.example"]},
            {"blocked_hosts": [None]},
            {"internal_hosts": "a.example"},
            {"allowed_networks": "10.0.0.0/8"},
            {"allowed_networks": [10]},
            {"dns_servers": "192.0.2.1"},
            {"dns_servers": [1]},
            {"on_connect": 1},
        ],
        ids=repr,
    )
    def test_wrong_types(self, arguments: dict[str, Any]) -> None:
        (name,) = arguments
        with pytest.raises(TypeError, match=name):
            NetConfig(**arguments)

    @pytest.mark.parametrize(
        "arguments",
        [
            {"max_connections": -1},
            {"connect_timeout_ms": 2**63},
            {"allowed_hosts": [""]},
            {"allowed_hosts": ["https://a.example"]},
            {"allowed_hosts": ["a.example:443"]},
            {"allowed_hosts": ["[::1]:443"]},
            {"allowed_hosts": ["10.0.0.0/8"]},
            {"allowed_hosts": ["bücher.example"]},
            {"allowed_hosts": ["a b"]},
            {"allowed_hosts": ["a\0b"]},
            {"allowed_hosts": ["a" * 254]},
            {"blocked_hosts": ["a.example\n"]},
            {"internal_hosts": ["user@a.example"]},
            {"internal_hosts": ["a.example="]},
            {"internal_hosts": ["a.example=b.example"]},
            {"internal_hosts": ["=127.0.0.1"]},
            {"allowed_hosts": ["a.example=127.0.0.1"]},
            {"blocked_hosts": ["a.example=127.0.0.1"]},
            {"allowed_networks": ["10.0.0.0/33"]},
            {"allowed_networks": ["10.0.0/8"]},
            {"allowed_networks": ["a.example"]},
            {"allowed_networks": [""]},
            {"allowed_networks": ["fe80::%eth0/64"]},
            {"blocked_networks": ["::/129"]},
            {"dns_servers": ["a.example"]},
            {"dns_servers": ["192.0.2.1:0"]},
            {"dns_servers": ["192.0.2.1:65536"]},
            {"dns_servers": ["192.0.2.1:"]},
            {"dns_servers": ["[::1"]},
            {"dns_servers": ["[::1]53"]},
            {"dns_servers": [""]},
        ],
        ids=repr,
    )
    def test_wrong_values(self, arguments: dict[str, Any]) -> None:
        (name,) = arguments
        with pytest.raises(ValueError, match=name):
            NetConfig(**arguments)

    def test_wrong_arguments_of_methods(self) -> None:
        config = NetConfig()
        for method in (config.allow_host, config.block_host, config.allow_internal_host):
            with pytest.raises(TypeError):
                method(1)  # type: ignore[arg-type]
            with pytest.raises(ValueError, match="pattern"):
                method("a/b")
        with pytest.raises(ValueError, match="cidr"):
            config.allow_network("10.0.0.0/99")
        with pytest.raises(TypeError):
            config.allow_network(b"10.0.0.0/8")  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            config.with_root_cert("-----BEGIN CERTIFICATE-----")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="empty"):
            config.with_root_cert(b"")

    def test_internal_hosts_with_networks(self) -> None:
        config = NetConfig(internal_hosts=["a.example=127.0.0.1"])
        config = config.allow_internal_host("*.b.example", network="FD00::/8")
        assert config.internal_hosts == ["a.example=127.0.0.1/32", "*.b.example=fd00::/8"]
        with pytest.raises(ValueError, match="network"):
            config.allow_internal_host("a.example", network="b.example")
        with pytest.raises(ValueError, match="pattern"):
            config.allow_internal_host("a.example=127.0.0.1", network="127.0.0.1")
        wrong = NetConfig(internal_hosts=["10.*=127.0.0.1"])
        with pytest.raises(ValueError, match="is an address already"):
            Sandbox(network=wrong)

    def test_addresses_in_their_usual_form(self) -> None:
        assert NetConfig(allowed_hosts=["[::1]"]).allowed_hosts == ["::1"]
        assert NetConfig(allowed_networks=["FD00:0::1/8", "192.0.2.1"]).allowed_networks == [
            "fd00::/8",
            "192.0.2.1/32",
        ]


class TestNetworkArgument:
    @pytest.mark.parametrize("made", [Sandbox, Session])
    def test_only_a_configuration_or_none(self, made: Any) -> None:
        made(network=None)
        made(network=NetConfig())
        wrong: Any
        for wrong in (True, {}, "a.example", NetConfig):
            with pytest.raises(TypeError, match="network must be a NetConfig or None"):
                made(network=wrong)

    def test_every_list_and_limit_is_taken(self) -> None:
        config = NetConfig(
            allowed_hosts=["a.example", "*.b.example"],
            blocked_hosts=["c.example"],
            internal_hosts=["d.example"],
            allowed_networks=["10.1.0.0/16", "fd00::/8"],
            blocked_networks=["192.0.2.0/24"],
            dns_servers=["192.0.2.1", "[2001:db8::1]:5353"],
            connect_timeout_ms=None,
            io_timeout_ms=None,
            max_total_connections=None,
            max_bytes=2**63 - 1,
        )
        assert Sandbox(network=config).execute("print(1)").stdout == "1"

    def test_certificates_that_are_none(self) -> None:
        for data, message in (
            (b"-----BEGIN CERTIFICATE-----\n", "PEM"),
            (b"garbage", "not a certificate in DER"),
            (b"0\x82\x01\x00abc", "not a certificate in DER"),
            (b"0", "not a certificate in DER"),
            (b"0\x03\x02\x01\x01", "not a certificate in DER"),
            (Authority().der[:-1], "not a certificate in DER"),
            (Authority().der + b"x", "not a certificate in DER"),
        ):
            with pytest.raises(ValueError, match=f"root certificate 1 .*{message}"):
                Sandbox(network=NetConfig().with_root_cert(data))

    def test_one_configuration_serves_many_sandboxes(self) -> None:
        config = NetConfig()
        boxes = [Sandbox(network=config) for _ in range(20)]
        assert [box.execute("print(1)").stdout for box in boxes] == ["1"] * 20

    def test_a_session_with_a_network_forks(self) -> None:
        with Session(network=NetConfig()) as session:
            session.execute("x = 1")
            with session.fork() as fork:
                assert fork.execute("print(x)").stdout == "1"

    def test_results_without_connections(self) -> None:
        for network in (None, NetConfig()):
            done = Sandbox(network=network).execute("print(1)")
            assert done.connections == []
            assert done.connections_total == 0
        with pytest.raises(eryx.ExecutionError) as caught:
            Sandbox().execute("1/0")
        assert list(caught.value.connections) == []
