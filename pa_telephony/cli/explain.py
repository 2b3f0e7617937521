"""``pa-telephony explain``: one SCCP message, and what the call manager does with it."""

from __future__ import annotations

import difflib
import inspect
import re

import click

from pa_telephony.sccp.messages import SccpMessage, Sender
from pa_telephony.sccp.server.decisions import decision
from pa_telephony.sccp.server.registrar import State
from pa_telephony.wire.declaration import fields_of

__all__ = ["explain"]

_SENDERS = {
    Sender.STATION: "from the station",
    Sender.CALL_MANAGER: "from the call manager",
    Sender.EITHER: "from either side",
}


@click.command(short_help="Say what an SCCP message is, and what is done with it.")
@click.argument("message", metavar="NUMBER|NAME")
def explain(message: str) -> None:
    """Describe the SCCP message of a number (0x8000) or a name (SPCPRegisterTokenReq).

    For a message of stations it says, for each state of the registration, whether it is answered,
    acted on, relayed, or passed over, and why.
    """
    kind = _find(message)
    click.echo(f"0x{kind.id:04X} {kind.__name__}, {_SENDERS[kind.sender]}")
    click.echo()
    click.echo(inspect.cleandoc(kind.__doc__ or ""))
    names = ", ".join(field.name for field in fields_of(kind))
    click.echo(f"\nFields: {names or 'none'}")
    if kind.sender is Sender.CALL_MANAGER:
        return
    click.echo()
    for state in State:
        click.echo(f"  {state.value:<12}  {decision(kind, state)}")


def _find(message: str) -> type[SccpMessage]:
    kinds = SccpMessage.registry
    names = {kind.__name__.lower(): kind for kind in kinds.values()}
    found = names.get(message.lower())
    if found is None and re.fullmatch(r"(0x)?[0-9a-f]{1,8}", message, re.IGNORECASE):
        found = kinds.get(int(message, 16))
        if found is None:
            raise click.BadParameter(f"no message has the number 0x{int(message, 16):04X}")
    if found is None:
        near = difflib.get_close_matches(message.lower(), names, 1)
        hint = f"; did you mean {names[near[0]].__name__}?" if near else ""
        raise click.BadParameter(f"no message has the name {message}{hint}")
    assert issubclass(found, SccpMessage)
    return found
