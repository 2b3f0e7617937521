"""A sealed password opens for the server that it was sealed for, once, and for no other."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings, strategies as st

from pa_telephony.cti.login import (
    Certificate,
    make_certificate,
    open_password,
    same_secret,
    seal_password,
)
from pa_telephony.errors import LocalProtocolError, RemoteProtocolError

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
KEY, NONCE = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return make_certificate("cti", valid_from=NOW)


@settings(max_examples=30)
@given(password=st.text(max_size=60))
def test_a_sealed_password_opens(certificate: Certificate, password: str) -> None:
    field, data = seal_password(password, certificate=certificate.der, nonce=NONCE, key=KEY)
    assert len(field) % 16 == 0
    assert open_password(field, data, certificate=certificate, nonce=NONCE) == password


def test_a_key_made_the_way_ciscos_client_makes_it_opens(certificate: Certificate) -> None:
    """Its key is text with replacement characters, longer than 16 bytes in UTF-8."""
    key = "a\ufffd\ufffdb\ufffd\ufffd\ufffdc\ufffd"
    field, data = seal_password("secret", certificate=certificate.der, nonce=NONCE, key=key)
    assert open_password(field, data, certificate=certificate, nonce=NONCE) == "secret"


def test_a_replayed_request_does_not_open(certificate: Certificate) -> None:
    field, data = seal_password("secret", certificate=certificate.der, nonce=NONCE, key=KEY)
    with pytest.raises(RemoteProtocolError):
        open_password(field, data, certificate=certificate, nonce="another nonce...")


def test_another_servers_key_does_not_open(certificate: Certificate) -> None:
    other = make_certificate("other", valid_from=NOW)
    field, data = seal_password("secret", certificate=other.der, nonce=NONCE, key=KEY)
    with pytest.raises(RemoteProtocolError, match="cannot be opened"):
        open_password(field, data, certificate=certificate, nonce=NONCE)


@settings(max_examples=50)
@given(field=st.binary(max_size=80), data=st.binary(max_size=300))
def test_garbage_does_not_open(certificate: Certificate, field: bytes, data: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="cannot be opened"):
        open_password(field, data, certificate=certificate, nonce=NONCE)


def test_without_a_certificate_nothing_can_be_opened_and_nothing_is_sent() -> None:
    assert seal_password("secret", certificate=b"", nonce="", key=KEY)[1] == b""


def test_a_certificate_that_is_none_is_the_servers_error() -> None:
    with pytest.raises(RemoteProtocolError, match="certificate"):
        seal_password("secret", certificate=b"garbage", nonce=NONCE, key=KEY)


def test_a_short_key_is_ours() -> None:
    with pytest.raises(LocalProtocolError, match="15 bytes"):
        seal_password("secret", certificate=b"", nonce="", key=KEY[:15])


def test_a_private_key_does_not_show(certificate: Certificate) -> None:
    assert "key" not in repr(certificate)


def test_secrets_are_compared_whole() -> None:
    assert same_secret("ä", "ä")
    assert not same_secret("secret", "secrets")
