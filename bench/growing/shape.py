"""The sizes of cluster that bench/growth.py measures, and their configuration."""

from __future__ import annotations

from dataclasses import dataclass

CALL_MANAGER = "127.0.9.10"
INTERCEPTORS = 4


@dataclass(frozen=True)
class Size:
    """How many servers, how many of them with a home of their own, as processes or as cores.

    Each home has a route point and interceptors, and so many ``numbers`` in all: an etcd hands over
    114 at once, at most.
    """

    servers: int
    homes: int
    real: bool
    numbers: int = 40

    @property
    def ports(self) -> int:
        """The media ports of a home."""
        return self.numbers - INTERCEPTORS - 1

    @property
    def names(self) -> list[str]:
        """The names of the servers; the homes come first."""
        return [f"PA{number}" for number in range(self.servers)]


def cluster_file(size: Size, store: str) -> str:
    """The next two servers stand in for each home."""
    names = size.names
    lines = [f'store = "{store}"']
    for at, name in enumerate(names):
        lines += ["[[servers]]", f'server_name = "{name}"']
        lines += [f'hostname_or_ip_address = "127.0.0.{11 + at}"']
        lines += ["media_termination_udp_beginning_port = 20000"]
        if at < size.homes:
            spares = [names[(at + more) % len(names)] for more in (1, 2)]
            listed = ", ".join(f'"{each}"' for each in patterns(at))
            lines += [
                f'route_address = "{1000 + at}00"',
                'route_address_provider = "jtapi"',
                'media_port_provider = "skinny"',
                f'media_port_beginning_address = "{1000 + at}001"',
                f"number_of_media_ports = {size.ports}",
                'interceptor_port_provider = "jtapi"',
                f"interceptor_ports = [{listed}]",
                f'fail_over_server_names = ["{spares[0]}", "{spares[1]}"]',
            ]
    lines += ["[[providers]]", 'type = "jtapi"', 'name = "jtapi"', f'hosts = ["{CALL_MANAGER}"]']
    lines += ['user = "pa"', 'password = "secret"']
    lines += ["[[providers]]", 'type = "skinny"', 'name = "skinny"', f'hosts = ["{CALL_MANAGER}"]']
    return "\n".join([*lines, 'device_name_prefix = "VI"', ""])


def patterns(at: int) -> list[str]:
    return [f"{1000 + at}6{number}X" for number in range(INTERCEPTORS)]


def call_manager_file(size: Size) -> str:
    device = '[[device]]\nname = "{}"\nkind = "{}"\nlines = [{{ number = "{}"{} }}]'
    lines = ['[[user]]\nname = "pa"\npassword = "secret"']
    for at in range(size.homes):
        lines.append(device.format(f"RP{at}", "route point", f"{1000 + at}00", ""))
        for number, pattern in enumerate(patterns(at)):
            lines.append(device.format(f"IC{at}-{number}", "route point", pattern, ""))
        for number in range(1, size.ports + 1):
            name, line = f"VI{at * size.ports + number}", f"{1000 + at}{number:03d}"
            lines.append(device.format(name, "media port", line, ", max_calls = 1"))
    return "\n".join([*lines, ""])
