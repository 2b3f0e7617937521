"""The cluster of a scenario and its call manager, as the two files that the processes read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loopback import NETWORK

__all__ = ["CALL_MANAGER", "PHONES", "SECOND", "Shape"]

CALL_MANAGER = f"{NETWORK}.10"
SECOND = f"{NETWORK}.20"
"""Where the second call manager is, in scenarios with two."""
PHONES = f"{NETWORK}.9"


@dataclass(kw_only=True)
class Shape:
    """Homes with ports, interceptors and a route point; spares; fail-over lists.

    Home ``k`` (from 0) owns route point ``{6+k}000``, ports from ``{6+k}001`` and interceptors
    ``5{k}00X``, ``5{k}01X`` …; ``lists`` are the fail-over lists, of everybody's spares by default.
    """

    homes: Sequence[str] = ("PA1",)
    spares: Sequence[str] = ("PA2",)
    ports: int | Mapping[str, int] = 2
    interceptors: int = 1
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    phones: int = 6
    managers: Sequence[str] = (CALL_MANAGER,)
    """Call managers, to whose first one the cluster goes back."""
    skinny: str = ""
    """Where media ports register, in place of the first of ``managers``."""
    hosts: Mapping[str, str] = field(default_factory=dict[str, str])
    udp: Mapping[str, int] = field(default_factory=dict[str, int])
    timing: Mapping[str, float] = field(default_factory=lambda: {"flap_window": 0.0})
    """Without a flap window each return takes as long as the first."""

    @property
    def names(self) -> tuple[str, ...]:
        """All servers, in the order of the file."""
        return *self.homes, *self.spares

    def address(self, name: str) -> str:
        """A server's address."""
        return self.hosts.get(name) or f"{NETWORK}.{11 + self.names.index(name)}"

    def number(self, home: str, index: int = 0) -> str:
        """A home's route point, and its ports from 1."""
        return str((6 + self.homes.index(home)) * 1000 + index)

    def port_count(self, home: str) -> int:
        """How many ports a home has."""
        return self.ports if isinstance(self.ports, int) else self.ports.get(home, 0)

    def devices(self, *homes: str) -> list[str]:
        """The devices of homes (by default of all) as the call manager knows them."""
        found: list[str] = []
        first = 1
        for home in self.homes:
            here = [f"VI{first + index}" for index in range(self.port_count(home))]
            first += len(here)
            here += [f"IC-{home}-{index}" for index in range(self.interceptors)]
            if not homes or home in homes:
                found += [*here, f"RP-{home}"]
        return found

    def write(self, directory: Path) -> None:
        """Write ``cluster.toml`` and ``cm.toml``."""
        directory.mkdir(parents=True, exist_ok=True)
        cluster = directory / "cluster.toml"
        cluster.write_text("\n".join(self._cluster()) + "\n")
        cluster.chmod(0o600)
        (directory / "cm.toml").write_text("\n".join(self._call_manager()) + "\n")

    def _patterns(self, home: str) -> list[str]:
        return [f"5{self.homes.index(home)}{index:02d}X" for index in range(self.interceptors)]

    def _cluster(self) -> list[str]:
        lines: list[str] = []
        first, *others = self.managers
        for name in self.names:
            lines += [
                "[[servers]]",
                f'server_name = "{name}"',
                f'hostname_or_ip_address = "{self.address(name)}"',
                f"media_termination_udp_beginning_port = {self.udp.get(name, 20000)}",
            ]
            if name in self.homes:
                lines += [
                    f'route_address = "{self.number(name)}"',
                    'route_address_provider = "jtapi"',
                    'media_port_provider = "skinny"',
                    f'media_port_beginning_address = "{self.number(name, 1)}"',
                    f"number_of_media_ports = {self.port_count(name)}",
                    'interceptor_port_provider = "jtapi"',
                    f"interceptor_ports = {json.dumps(self._patterns(name))}",
                ]
            names = self.lists.get(name, self.spares if name in self.homes else ())
            lines += [f"fail_over_server_names = {json.dumps(list(names))}"] if names else []
        lines += [
            "[[providers]]",
            'type = "jtapi"',
            'name = "jtapi"',
            f"hosts = {json.dumps(list(self.managers))}",
            'user = "pa"',
            'password = "secret"',
            "[[providers]]",
            'type = "skinny"',
            'name = "skinny"',
            f"hosts = {json.dumps([self.skinny or first, *others])}",
            f"return_to_preferred = {json.dumps(bool(others))}",
            'device_name_prefix = "VI"',
            "[timing]",
        ]
        return lines + [f"{name} = {value}" for name, value in self.timing.items()]

    def _call_manager(self) -> list[str]:
        lines = [
            "[search_spaces]",
            'phones = ["PA", ""]',
            'extensions = ["PAManaged", ""]',
            "[[user]]",
            'name = "pa"',
            'password = "secret"',
        ]
        port = 0
        for home in self.homes:
            lines += _device(f"RP-{home}", "route point", f'number = "{self.number(home)}"')
            for index, pattern in enumerate(self._patterns(home)):
                line = f'number = "{pattern}", partition = "PA", search_space = "extensions"'
                line += f', forward_failure = "{pattern}", forward_search_space = "extensions"'
                lines += _device(f"IC-{home}-{index}", "route point", line)
            for index in range(self.port_count(home)):
                port += 1
                line = f'number = "{self.number(home, 1 + index)}", max_calls = 1'
                lines += [*_device(f"VI{port}", "media port", line), "keep_alive = 1"]
        for index in range(self.phones):
            line = f'number = "{1000 + index}", search_space = "phones"'
            lines += _device(f"SEP{index:012d}", "phone", line)
        return lines


def _device(name: str, kind: str, line: str) -> list[str]:
    return ["[[device]]", f'name = "{name}"', f'kind = "{kind}"', f"lines = [{{ {line} }}]"]
