"""Names in the octets of the wire and back, with UTF-8 and without."""

from __future__ import annotations

import pytest
import trio
from company import ALICE, BOB, CAROL, COMPANY, changed
from hypothesis import given, strategies as st
from loopback import HOST
from whole_house import a_manager

from pa_telephony import rtp, sccp
from pa_telephony.sccp.enums import PhoneFeatures
from pa_telephony.sccp.phrases import english
from pa_telephony.sccp.station.style import StationConfig, Style
from pa_telephony.sccp.text import readable, sendable

LATIN, UTF8 = PhoneFeatures(0), PhoneFeatures.UTF8


@pytest.mark.parametrize("name", ["Łukasz", "José", "日本", "Zażółć\u2019", "plain"])
def test_a_phone_that_announces_utf_8_gets_every_letter(name: str) -> None:
    assert sendable(name, UTF8).encode("latin-1") == name.encode()
    assert readable(sendable(name, UTF8)) == name


@pytest.mark.parametrize(
    ("name", "sent"),
    [("José", "José"), ("Žofie Dvořák", "Zofie Dvorák"), ("Łukasz", "?ukasz"), ("日本", "??")],
)
def test_another_gets_latin_1_without_the_accents_that_it_lacks(name: str, sent: str) -> None:
    assert sendable(name, LATIN) == sent
    assert readable(sent) == sent


def test_a_name_that_is_too_long_is_cut_between_letters() -> None:
    assert readable(sendable("ééé", UTF8, 5)) == "éé"
    assert sendable("ééé", LATIN, 2) == "éé"


@given(st.text(), st.sampled_from([LATIN, UTF8]), st.integers(0, 45))
def test_any_name_at_all_fits_its_field(name: str, features: PhoneFeatures, longest: int) -> None:
    sent = sendable(name, features, longest)
    assert len(sent.encode("latin-1")) <= longest
    assert "\0" not in sent


def test_a_0x80_within_a_letter_begins_no_phrase() -> None:
    assert english("\x80\x17" + sendable("O\u2019Brien", UTF8)) == "From O\u2019Brien"
    assert english("Caf\xe9 \x80\x18") == "Café Connected"


async def test_each_phone_is_told_a_caller_s_name_in_its_own_octets() -> None:
    names = {ALICE: "\u017dofie \u65e5\u672c", BOB: "\u0141ukasz", CAROL: "Eva"}
    config = COMPANY
    for device, name in names.items():
        config = changed(config, device, name=name)
    async with (
        a_manager(config) as manager,
        rtp.open_engine(address=HOST, first_port=43100) as engine,
        sccp.open_station(ALICE, manager.sccp_address, engine=engine) as caller,
    ):
        for device, number, style, shown in (
            (BOB, "1002", Style.PHONE, names[ALICE]),
            (CAROL, "1003", Style.PORT, "Zofie ??"),
        ):
            at = manager.sccp_address
            how = StationConfig(style=style)
            async with (
                sccp.open_station(device, at, config=how, engine=engine) as phone,
                caller.call(number) as call,
            ):
                while not (phone.calls and call.called_name):  # noqa: ASYNC110
                    await trio.sleep(0.005)
                [offered] = phone.calls.values()
                assert offered.calling_name == shown
                assert call.called_name == names[device]
