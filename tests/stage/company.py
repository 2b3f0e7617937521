"""The company whose call manager is tested: who has which number. Every stage here is about it.

========  ============  ======  ===============================================
device    numbers       name    what it is
========  ============  ======  ===============================================
P1        1001          Alice   a phone
P2        1002, 2000    Bob     a phone; 2000 is a line that P4 has, too
P3        1003          Carol   a phone
P4        1004, 2000    Dave    a phone
PA1-VI1   6001                  a media port
CTIP1     5001                  a CTI port
RP1, RP2  6000, 6100            route points
========  ============  ======  ===============================================

Calls are parked at 700 to 709. The users ``app`` and ``other`` have all devices, ``narrow`` has P1
alone, ``super`` has P1 and may ask for any; ``locked`` and ``guest`` may not log in. Every password
is "secret". A test that needs something else says only that: :func:`changed`,
:func:`dataclasses.replace`, or devices of its own from :func:`phone`, :func:`media_port`,
:func:`cti_port`, :func:`route_point`.

The stages, from the bottom: ``bare_house`` has calls and a clock; ``line_phone`` and
``cti_application`` are a phone and an application at it without sockets; ``whole_house`` has
sockets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pa_telephony.callmanager import CallManagerConfig, DeviceConfig, DeviceKind, LineConfig, User

__all__ = [
    "ALICE",
    "BOB",
    "CAROL",
    "COMPANY",
    "DAVE",
    "MEDIA_PORT",
    "PASSWORD",
    "PHONES",
    "changed",
    "cti_port",
    "media_port",
    "phone",
    "route_point",
]

PHONES = ALICE, BOB, CAROL, DAVE = ("P1", "P2", "P3", "P4")
MEDIA_PORT = "PA1-VI1"
PASSWORD = "secret"


def phone(device: str, number: str, **line: Any) -> DeviceConfig:
    """A phone with one line; ``line`` has more fields of it."""
    return DeviceConfig(name=device, lines=(LineConfig(number=number, **line),))


def media_port(device: str, number: str, **line: Any) -> DeviceConfig:
    return replace(phone(device, number, **line), kind=DeviceKind.MEDIA_PORT)


def cti_port(device: str, number: str, **line: Any) -> DeviceConfig:
    return replace(phone(device, number, **line), kind=DeviceKind.CTI_PORT)


def route_point(device: str, number: str, **line: Any) -> DeviceConfig:
    return replace(phone(device, number, **line), kind=DeviceKind.ROUTE_POINT)


def changed(config: CallManagerConfig, device: str, **line: Any) -> CallManagerConfig:
    """``config`` with other fields of the first line of ``device``."""
    devices = tuple(
        replace(each, lines=(replace(each.lines[0], **line), *each.lines[1:]))
        if each.name == device
        else each
        for each in config.devices
    )
    return replace(config, devices=devices)


def _with_shared_line(device: DeviceConfig) -> DeviceConfig:
    return replace(
        device, lines=(*device.lines, LineConfig(number="2000", name=device.lines[0].name))
    )


COMPANY = CallManagerConfig(
    devices=(
        phone(ALICE, "1001", name="Alice"),
        _with_shared_line(phone(BOB, "1002", name="Bob")),
        phone(CAROL, "1003", name="Carol"),
        _with_shared_line(phone(DAVE, "1004", name="Dave")),
        media_port(MEDIA_PORT, "6001"),
        cti_port("CTIP1", "5001"),
        route_point("RP1", "6000"),
        route_point("RP2", "6100"),
    ),
    park_numbers=("70X",),
    users=(
        User(name="app", password=PASSWORD),
        User(name="other", password=PASSWORD),
        User(name="narrow", password=PASSWORD, devices=(ALICE,)),
        User(name="super", password=PASSWORD, devices=(ALICE,), any_device=True),
        User(name="locked", password=PASSWORD, locked=True),
        User(name="guest", password=PASSWORD, cti=False),
    ),
)
