"""The line that names an etcd; every mistake in it is told with the rule that it breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.stores.etcd_address import EtcdAddress, is_etcd, state_directory

MISSPELT = (
    "ETCD://h1,h2/pa",
    "Etcds://h1/pa",
    "etcd:/h1/pa",
    "etcd:h1/pa",
    " etcd://h1/pa",
    "\tetcd://h1/pa",
    "http://h1:2379/pa",
    "sqlite:///var/lib/pa.db",
    "file:/var/lib/pa.db",
)


@pytest.mark.parametrize(
    ("text", "members", "prefix"),
    [
        ("etcd://10.0.0.1/pa", (("10.0.0.1", 2379),), "pa"),
        ("etcd://a:1,b,[::1]:3/p.1", (("a", 1), ("b", 2379), ("::1", 3)), "p.1"),
        ("etcd://[fe80::1]/pa/", (("fe80::1", 2379),), "pa"),
    ],
)
def test_it_names_members_with_their_ports_and_a_prefix(
    text: str, members: tuple[tuple[str, int], ...], prefix: str
) -> None:
    found = EtcdAddress.parse(text)
    assert (found.members, found.prefix) == (members, prefix)
    assert EtcdAddress.parse(str(found)) == found


def test_it_names_the_files_by_which_we_show_who_we_are() -> None:
    text = "etcds://pa@a:2379/pa?ca=/e/ca.pem&cert=/e/c.pem&key=/e/k.pem&password=/e/word"
    found = EtcdAddress.parse(text)
    assert found.tls
    assert (found.user, found.ca, found.cert) == ("pa", "/e/ca.pem", "/e/c.pem")
    assert (found.key, found.password) == ("/e/k.pem", "/e/word")
    assert found.urls == ("https://a:2379",)
    assert str(found) == text


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("etcd:///pa", "names no host"),
        ("etcd://a", "no prefix"),
        ("etcd://a/", "no prefix"),
        ("etcd://a/p/q", "no prefix"),
        ("etcd://a/" + "p" * 65, "no prefix"),
        ("etcd://a:0/pa", "port '0'"),
        ("etcd://a:65536/pa", "port '65536'"),
        ("etcd://a:x/pa", "port 'x'"),
        ("etcd://10.1.1/pa", "host '10.1.1'"),
        ("etcd://a,,b/pa", "host ''"),
        ("etcd://" + ",".join("abcdefghij") + "/pa", "10 members"),
        ("etcd://u:secret@a/pa", "has a password"),
        ("etcd://@a/pa", "names no user"),
        ("etcd://u@a/pa", "both USER@ and"),
        ("etcd://a/pa?ca=/x", "etcds://"),
        ("etcds://a/pa?cert=/x", "both cert and key"),
        ("etcd://a/pa?color=red", "no option 'color'"),
        ("etcd://a/pa?ca", "etcd://HOST"),
        ("etcds://a/pa?ca=/x&ca=/y", "option 'ca' twice"),
        ("etcds://a/pa?ca=", "no file by the option 'ca'"),
        ("etcd://a/pa#b", "has a '#'"),
        ("etcd://a/pa#", "has a '#'"),
        ("http://a/pa", "etcd://HOST"),
        ("state/cluster.db", "etcd://HOST"),
    ],
)
def test_what_is_wrong_is_told(text: str, rule: str) -> None:
    with pytest.raises(ConfigurationError, match="store: ") as caught:
        EtcdAddress.parse(text)
    assert rule in caught.value.rule
    assert "secret" not in str(caught.value)


@given(st.text())
def test_whatever_is_typed_is_an_address_or_one_error(text: str) -> None:
    try:
        found = EtcdAddress.parse(f"etcd://{text}")
    except ConfigurationError:
        return
    assert EtcdAddress.parse(str(found)) == found


def test_a_path_is_no_etcd() -> None:
    for path in ("state/cluster.db", "/var/lib/pa.db", "etcd", "a:b/pa.db", "./etcd:/pa.db"):
        assert not is_etcd(path)
    assert is_etcd("etcds://a/pa")


@pytest.mark.parametrize("store", MISSPELT)
def test_what_looks_like_a_url_is_no_path_unless_it_says_so(store: str) -> None:
    """Were it one, each machine would have a store of its own, and serve the same numbers."""
    with pytest.raises(ConfigurationError, match=r"store: must be etcd://HOST.*path of a file"):
        is_etcd(store)


def test_each_etcd_and_prefix_has_a_directory_of_this_machine(tmp_path: Path) -> None:
    given = {"PA_TELEPHONY_STATE": str(tmp_path)}
    one = state_directory("etcd://a,b/pa", given)
    assert one.parent == tmp_path
    assert one == state_directory("etcd://b,a/pa", given)
    assert one != state_directory("etcd://a,b/pb", given)
    assert one != state_directory("etcd://a,c/pa", given)
    assert state_directory("etcd://a/pa", {"STATE_DIRECTORY": "/var/lib/x:/y"}).parent == Path(
        "/var/lib/x"
    )
    home = {"XDG_STATE_HOME": "/home/u/state"}
    assert state_directory("etcd://a/pa", home).parent == Path("/home/u/state/pa-telephony")
