"""A media port that stays keeps its device, whatever numbers come and go beside it. Pure.

Devices without a name of their own are counted in order of the numbers of a provider's ports, so
that a number that comes would give those behind it other devices. A call manager knows a port by
its device; so whoever changes servers names the devices of the ports that stay.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence

from pa_telephony.failover.config import ClusterConfig, JtapiProvider, SkinnyProvider

__all__ = ["keeping_devices", "told"]

_FEW = 3


def keeping_devices(
    old: ClusterConfig, new: ClusterConfig
) -> tuple[JtapiProvider | SkinnyProvider, ...]:
    """The providers of ``new``; they name each device that a port of ``old`` would lose.

    A provider that was changed itself is left as it is.
    """
    before = {each.name: each for each in old.providers}
    same = {each.name for each in new.providers if before.get(each.name) == each}
    # A device that is named is another's no more, who may lose it by that.
    while (providers := _naming_lost(old, new, same)) != new.providers:
        new = dataclasses.replace(new, providers=providers)
    return new.providers


def _naming_lost(
    old: ClusterConfig, new: ClusterConfig, same: Collection[str]
) -> tuple[JtapiProvider | SkinnyProvider, ...]:
    found: list[JtapiProvider | SkinnyProvider] = []
    for each in new.providers:
        if isinstance(each, SkinnyProvider) and each.name in same:
            lost = {
                number: device
                for (name, number), device in old.devices.items()
                if name == each.name and new.devices.get((name, number), device) != device
            }
            found.append(dataclasses.replace(each, devices={**each.devices, **lost}))
        else:
            found.append(each)
    return tuple(found)


def told(old: ClusterConfig, new: ClusterConfig) -> Iterator[str]:
    """Which ports keep devices that are named now, and which devices new ones get then."""
    before = {each.name: each for each in old.providers}
    for each in new.providers:
        earlier = before.get(each.name)
        if not isinstance(each, SkinnyProvider) or not isinstance(earlier, SkinnyProvider):
            continue
        ports = {
            number: device for (name, number), device in new.devices.items() if name == each.name
        }
        keep = [
            (number, device)
            for number, device in ports.items()
            if number not in earlier.devices
            and each.devices.get(number) == old.devices.get((each.name, number))
            and number in each.devices
        ]
        if not keep:
            continue
        yield _sentence(keep, "keeps its device", "keep their devices")
        if come := [one for one in ports.items() if (each.name, one[0]) not in old.devices]:
            yield _sentence(come, "gets the device", "get the devices")


def _sentence(ports: Sequence[tuple[str, str]], verb: str, verbs: str) -> str:
    numbers, devices = zip(*ports, strict=True)
    return f"{_listed(numbers)} {verb if len(ports) == 1 else verbs} {_listed(devices)}"


def _listed(names: Sequence[str]) -> str:
    if len(names) <= _FEW:
        return ", ".join(names)
    return f"{names[0]} … {names[-1]}"
