"""All that is public: names, options of the command, fields of the configuration files.

docs/api-policy.md says what that means. The list is checked in, so that a change of it is seen.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from types import ModuleType, NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import click

from pa_telephony.callmanager.config import CallManagerConfig
from pa_telephony.cli.main import cli
from pa_telephony.failover.config import ClusterConfig

PACKAGES = [
    "sccp",
    "cti",
    "rtp",
    "callmanager",
    "failover",
    "testing",
    "errors",
    "trace",
    "tasks",
    "program",
    "extras",
]

# Their names are the protocols', and so many that the site has them in pages of their own.
PROTOCOLS = ["sccp.messages", "sccp.enums", "cti.messages", "cti.enums", "cti.errors"]


def modules() -> Iterator[tuple[ModuleType, list[ModuleType]]]:
    """Each package that is public, and those of its public names that are modules themselves."""
    for package in PACKAGES:
        module = importlib.import_module(f"pa_telephony.{package}")
        named = [getattr(module, name) for name in module.__all__]
        yield module, [each for each in named if isinstance(each, ModuleType)]


def page() -> str:
    """The list, one a line, each kind sorted."""
    parts = [
        "# What is public: written by docs/generate.py, explained in docs/api-policy.md.",
        "\n# Names",
        *sorted({*names()}),
        "\n# Options and arguments of the command",
        *options(),
        "\n# Fields of the call manager's configuration",
        *sorted({*fields(CallManagerConfig)}),
        "\n# Fields of a cluster's configuration",
        *sorted({*fields(ClusterConfig)}),
    ]
    return "\n".join(parts) + "\n"


def names() -> Iterator[str]:
    for module, parts in modules():
        for each in (module, *parts):
            yield from (f"{each.__name__}.{name}" for name in each.__all__)
    for protocol in PROTOCOLS:
        module = importlib.import_module(f"pa_telephony.{protocol}")
        yield from (f"{module.__name__}.{name}" for name in module.__all__)


def options() -> Iterator[str]:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        for parameter in command.params:
            known = " ".join([*parameter.opts, *parameter.secondary_opts])
            is_argument = isinstance(parameter, click.Argument)
            yield f"pa-telephony {name} {parameter.human_readable_name if is_argument else known}"


def fields(declaration: type[Any], path: str = "") -> Iterator[str]:
    """Every field of a dataclass and of the dataclasses in it: ``devices[].lines[].number``."""
    hints = get_type_hints(declaration)
    for field in dataclasses.fields(declaration):
        inner = list(dataclasses_in(hints[field.name]))
        here = path + field.name + ("[]" if get_origin(hints[field.name]) is tuple else "")
        yield here
        for each in inner:
            yield from fields(each, f"{here}.")


def dataclasses_in(hint: Any) -> Iterator[type[Any]]:
    """The dataclasses that a type is made of."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        yield hint
    elif get_origin(hint) in (tuple, UnionType, Union):
        for each in get_args(hint):
            if each not in (NoneType, ...):
                yield from dataclasses_in(each)
