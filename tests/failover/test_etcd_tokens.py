"""What etcd's revisions are called in a cluster that was moved there."""

from __future__ import annotations

import pytest

from pa_telephony.errors import RemoteProtocolError
from pa_telephony.failover.stores.etcd_tokens import AS_THEY_ARE, OLD, encode, tokens_in
from pa_telephony.failover.transaction import Entry

COPIED = {"a": Entry("x", 70, 90), "b": Entry("y", 80, 80)}
# They were copied with the revision 5 of an etcd; the store had come to 100.
TOKENS = tokens_in({f"{OLD}0000": Entry(encode(100, COPIED), 5, 5)})


def test_without_a_move_revisions_are_called_as_they_are() -> None:
    assert tokens_in({"a": Entry("x", 3, 4)}) is AS_THEY_ARE
    assert AS_THEY_ARE.entry("a", "x", 3, 4) == Entry("x", 3, 4)
    assert (AS_THEY_ARE.created("a", 3), AS_THEY_ARE.modified("a", 0)) == (3, 0)


def test_what_was_copied_has_its_tokens_until_it_is_written_again() -> None:
    assert TOKENS.entry("a", "x", 5, 5) == Entry("x", 70, 90)
    assert TOKENS.entry("a", "z", 5, 8) == Entry("z", 70, 108)
    assert TOKENS.entry("a", "z", 9, 9) == Entry("z", 109, 109)
    assert TOKENS.entry("c", "z", 6, 7) == Entry("z", 106, 107)


def test_a_compare_means_the_revision_that_its_token_is_the_name_of() -> None:
    assert (TOKENS.created("a", 70), TOKENS.modified("a", 90)) == (5, 5)
    assert (TOKENS.created("a", 109), TOKENS.modified("a", 108)) == (9, 8)
    assert (TOKENS.created("a", 0), TOKENS.modified("c", 0)) == (0, 0)


@pytest.mark.parametrize("token", [80, 99, 100])
def test_a_token_that_was_never_here_is_no_revision_and_not_a_missing_key(token: int) -> None:
    assert TOKENS.created("a", token) < 0
    assert TOKENS.modified("a", token) < 0


@pytest.mark.parametrize("value", ["", "[]", '{"offset": 1}', '{"offset": 1, "tokens": {"a": 3}}'])
def test_tokens_that_cannot_be_read_are_an_error_of_the_etcd(value: str) -> None:
    with pytest.raises(RemoteProtocolError):
        tokens_in({f"{OLD}0000": Entry(value, 5, 5)})
