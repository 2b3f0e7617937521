"""Places for connections of unknown peers."""

from __future__ import annotations

from pa_telephony.admission import Lobby


def test_all_together_and_each_address_have_so_many_places() -> None:
    lobby = Lobby(3, 2)
    for who in ("a", "b"):
        assert not lobby.crowded("10.0.0.1")
        lobby.enter(who, "10.0.0.1")
    assert lobby.crowded("10.0.0.1")
    assert not lobby.crowded("10.0.0.2")
    assert not lobby.full
    lobby.enter("c", "10.0.0.2")
    assert lobby.full


def test_who_leaves_twice_frees_one_place() -> None:
    lobby = Lobby(3, 2)
    lobby.enter("a", "10.0.0.1")
    lobby.enter("b", "10.0.0.1")
    lobby.leave("a")
    lobby.leave("a")
    lobby.leave("nobody")
    assert len(lobby) == 1
    lobby.enter("c", "10.0.0.1")
    assert lobby.crowded("10.0.0.1")
    lobby.leave("b")
    lobby.leave("c")
    assert len(lobby) == 0
    assert not lobby.crowded("10.0.0.1")


def test_the_addresses_that_one_host_has_in_ipv6_count_as_one() -> None:
    lobby = Lobby(10, 2)
    lobby.enter("a", "2001:db8::1")
    lobby.enter("b", "2001:db8::ffff:1%eth0")
    assert lobby.crowded("2001:db8:0:0:9::")
    assert not lobby.crowded("2001:db8:0:1::1")


def test_a_full_lobby_makes_room_for_one_from_where_fewer_come() -> None:
    lobby, out = Lobby(5, 4), list[str]()
    for number in range(3):
        lobby.enter(f"a{number}", "10.0.0.1", lambda number=number: out.append(f"a{number}"))
    for number in range(2):
        lobby.enter(f"b{number}", "10.0.0.2", lambda number=number: out.append(f"b{number}"))
    assert lobby.full
    # One more of those that are as many: they would only push out each other.
    assert not lobby.make_room("10.0.0.1")
    assert not lobby.make_room("10.0.0.2")
    assert lobby.make_room("10.0.0.3")
    assert out == ["a0"]
    lobby.enter("c", "10.0.0.3", lambda: out.append("c"))
    # Nobody has more than one more now.
    assert not lobby.make_room("10.0.0.4") or out == ["a0", "a1"]
    assert len(lobby) <= 5


def test_who_cannot_be_turned_out_stays() -> None:
    lobby = Lobby(2, 2)
    lobby.enter("a", "10.0.0.1")
    lobby.enter("b", "10.0.0.1")
    assert not lobby.make_room("10.0.0.2")
    assert len(lobby) == 2
