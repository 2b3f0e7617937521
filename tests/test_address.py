"""Names of peers as people write them."""

from __future__ import annotations

import pytest

from pa_telephony.address import parse_peers


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("cm-a", ("cm-a", 2000)),
        ("cm-a:2443", ("cm-a", 2443)),
        ("10.0.0.5:1", ("10.0.0.5", 1)),
        ("fd00::5", ("fd00::5", 2000)),
        ("::1", ("::1", 2000)),
        ("[::1]", ("::1", 2000)),
        ("[fd00::5]:65535", ("fd00::5", 65535)),
    ],
)
def test_a_peer_is_a_host_with_a_port_or_without(name: str, peer: tuple[str, int]) -> None:
    assert parse_peers(name, 2000) == [peer]
    assert parse_peers(["other", name], 2000) == [("other", 2000), peer]


@pytest.mark.parametrize(
    "name", ["", ":2000", "[]:2000", "[::1]2000", "cm:", "cm:0", "cm:65536", "cm:²", "[::1]:x"]
)
def test_what_is_no_peer_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=r"must be"):
        parse_peers(name, 2000)


def test_nobody_is_an_error() -> None:
    with pytest.raises(ValueError, match="no peer"):
        parse_peers([], 2000)
