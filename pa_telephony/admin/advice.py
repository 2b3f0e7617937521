"""What each kind of alarm means, and what to do: the table of docs/operations.md. Pure.

A test holds both equal; a word between backquotes is a command or a name.
"""

from __future__ import annotations

from dataclasses import dataclass

from pa_telephony.failover.alarm_kinds import AlarmKind

__all__ = ["ADVICE", "Advice", "pieces"]


@dataclass(frozen=True)
class Advice:
    """What an alarm means, and what an operator does about it."""

    means: str
    do: str


ADVICE = {
    AlarmKind.NUMBER_DOWN: Advice(
        "No server serves the number, callers get what the call manager does then (its "
        "forward). The text says what keeps each server from it.",
        "Mend what the text names for the first server of the list: start its process (`pa-"
        "telephony start`, or the agent's log says why it ends), its network, its call "
        "manager.",
    ),
    AlarmKind.NUMBER_REFUSED: Advice(
        "A server wants to register the number, and the call manager refuses: `Device "
        "Unknown` when no device of this name is configured there, otherwise its own words.",
        "Compare the device's name and the line in the call manager with Server "
        "Configuration; a device that was renamed or deleted there has to be made again. "
        "Other servers will be refused as well.",
    ),
    AlarmKind.NUMBER_TWICE: Advice(
        "Two servers have the number registered, and no return explains it. Callers reach "
        "one of them, nobody knows which.",
        "Stop one of the two that the text names (`pa-telephony stop NAME`), then start it "
        "again. Keep both logs: this must not happen.",
    ),
    AlarmKind.SERVER_DOWN: Advice(
        "A server has no process, no session, or is silent longer than it may act. Another "
        "one stands in, unless `number_down` says otherwise.",
        "In the morning: the end of its log, or of its agent's. `pa-telephony start NAME` "
        "when an operator stopped it.",
    ),
    AlarmKind.SERVER_LATE: Advice(
        "A heartbeat is late, or other servers do not hear this one: its machine is "
        "overloaded, or stands still, or the store's disk is slow.",
        "If it comes and goes, look at the machine's load, at its disk, and whether the "
        "virtual machine is moved or snapshotted.",
    ),
    AlarmKind.STORE_UNREACHABLE: Advice(
        "A server (or, without a name, the one who looks) cannot read the store. Servers go"
        " on with what they have; nothing moves.",
        "The disk or path of the store: is it full, mounted, writable for the user of the servers?",
    ),
    AlarmKind.PROVIDER_UNREACHABLE: Advice(
        "A server does not reach a call manager that its numbers need. A stand-in that does"
        " takes over.",
        "The call manager, and the network between; the text has the reason of the "
        "connection. When all servers say so, it is the call manager.",
    ),
    AlarmKind.REGISTERED_ELSEWHERE: Advice(
        "The number is registered at a call manager that the cluster has left, because a call goes "
        "on there. Callers at the other one do not reach it.",
        "Nothing: it goes to the others when the call has ended. If it stays for hours, see "
        "`call_long`.",
    ),
    AlarmKind.CALL_MANAGER_LEFT: Advice(
        "All numbers are at a later call manager of the providers' hosts, as the first one was "
        "gone. All go back together when every server has reached it steadily.",
        "Bring the call manager back that the text names. Where a single server does not reach it, "
        "mend its network, or stop that server (`pa-telephony stop NAME`): the others do not wait "
        "for it then.",
    ),
    AlarmKind.REDUNDANCY_LOST: Advice(
        "All is served, and nobody could stand in if this server ended now. The text says "
        "what keeps each server of the list from it.",
        "Bring back the first server that the text names, before the next thing fails.",
    ),
    AlarmKind.CAPACITY_EXCEEDED: Advice(
        "A server holds more media ports than it may have calls: some callers will be "
        "turned away while it stands in.",
        "Bring the missing server back; or raise the capacity if the machine bears it.",
    ),
    AlarmKind.CONFIGURATION_DIFFERS: Advice(
        "A server works with another configuration than the store, or than another server.",
        "Wait a minute after an import. Then restart the server that the text names; a file"
        " that differs is taken with `pa-telephony cluster import`.",
    ),
    AlarmKind.CALL_LONG: Advice(
        "A call lasts longer than `long_call`. It may be a call whose end got lost, and "
        "keeps a port from going home.",
        "Ask who talks there; if nobody does, end it at the phone, or stop the server that "
        "has the port.",
    ),
    AlarmKind.RESTART_GIVEN_UP: Advice(
        "A rolling restart ended before all servers were restarted; the text says why, and "
        "which were. Callers are served by those that are there.",
        "Mend what the text names, then `pa-telephony restart` those that are left; "
        "`pa-telephony restart --undo` clears it.",
    ),
    AlarmKind.FLAPPING: Advice(
        "The home was taken over three times within ten minutes: its server comes and goes.",
        "Let its stand-in keep everything (`pa-telephony hold NAME`, undone with `--undo`), "
        "and find out why it ends.",
    ),
}


def pieces(text: str) -> tuple[tuple[bool, str], ...]:
    """The text in pieces, each with whether it stood between backquotes."""
    return tuple((bool(place % 2), piece) for place, piece in enumerate(text.split("`")) if piece)
