"""The ``pa-telephony`` command and the table of its subcommands.

Only click is imported here: ``pa-telephony --help`` answers before trio, numpy or rich are loaded.
"""

from __future__ import annotations

import importlib
import keyword
import sys

import click

from pa_telephony import __version__
from pa_telephony.errors import (
    ConfigurationError,
    ConnectionLost,
    DecodeError,
    LocalProtocolError,
    RegistrationRejected,
    TelephonyError,
)
from pa_telephony.extras import MissingExtra
from pa_telephony.printable import printable_lines

__all__ = ["cli"]

# name -> (module, short help); the help stands here so that --help imports none of the modules.
_COMMANDS = {
    "demo": (".demo.command", "PA1 dies and comes home, with real calls and audio."),
    "callmanager": (".callmanager", "Run the embedded call manager."),
    "top": (".top", "What a running call manager is doing, live."),
    "cm": (".cm", "Have a running call manager do something: reset, forward, drop."),
    "server": (".server", "Run one server of a cluster."),
    "agent": (".agent", "Keep this machine's servers running as the store says."),
    "admin": (".admin", "The administration in a browser."),
    "cluster": (".cluster", "The configuration in the store: import, export, history."),
    "status": (".status", "The Server Status page as a table."),
    "alarms": (".alarms", "What is wrong with a cluster, by kind."),
    "metrics": (".metrics", "The cluster's state for Prometheus; /healthz and /readyz."),
    "start": (".control", "Let a server of the cluster take its resources."),
    "stop": (".control", "Let a server of the cluster give everything up."),
    "drain": (".control", "Let a server of the cluster stop once its calls have ended."),
    "move": (".control", "Have a stand-in serve a server's numbers, or bring them home."),
    "return": (".control", "Have a server get its numbers back now."),
    "hold": (".control", "Keep a server's numbers at whoever stands in."),
    "restart": (".restart", "Restart servers one after the other, with callers answered."),
    "phone": (".phone.command", "A telephone in the terminal."),
    "decode": (".decode", "Show what is in a pcap file or in a frame given in hex."),
    "examples": (".examples", "Write the examples of the documentation."),
    "explain": (".explain", "Say what an SCCP message is, and what is done with it."),
    "ladder": (".ladder.command", "Draw the calls of a pcap file as a message ladder."),
}


class _Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name][0], "pa_telephony.cli")
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            *firsts, last = (printable_lines(str(each)) for each in (error, *error.others))
            for each in firsts:
                click.echo(f"Error: {each}", err=True)
            raise click.ClickException(last) from error
        except (ConnectionLost, LocalProtocolError, RegistrationRejected) as error:
            raise click.ClickException(printable_lines(str(error))) from error
        except DecodeError as error:
            raise click.ClickException(printable_lines(error.reason)) from error
        except MissingExtra as error:
            raise click.ClickException(str(error)) from error
        except TelephonyError as error:
            text = printable_lines(f"{type(error).__name__}: {error}")
            raise click.ClickException(text) from error
        except KeyboardInterrupt:
            sys.exit(130)


@click.group(cls=_Commands)
@click.version_option(__version__, package_name="pa-telephony")
def cli() -> None:
    """Cisco call control: a call manager, failover servers, and tools to look inside."""
