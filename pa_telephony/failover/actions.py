"""The actions that a member asks its driver to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pa_telephony.failover.identity import Identity
from pa_telephony.failover.steps import Step, StepKind
from pa_telephony.failover.transaction import Transaction

__all__ = ["Action", "Beating", "Close", "EndCalls", "Flight", "Register", "Transact", "Unregister"]


@dataclass(frozen=True)
class Transact:
    """Give ``transaction`` to the store; ``step`` says what for, None is a heartbeat."""

    transaction: Transaction
    step: Step | None = None


@dataclass(frozen=True)
class Register:
    """Begin one attempt to register, with the identity's device, at the call manager of ``node``.

    The driver has nothing open of the identity at another node.
    """

    identity: Identity
    node: int = 0


@dataclass(frozen=True)
class Unregister:
    """Unregister politely: the call manager refuses while a call exists."""

    identity: Identity


@dataclass(frozen=True)
class Close:
    """Close the identity's connection, which ends its calls.

    ``at_once``: no message to the call manager, no waiting.
    """

    identity: Identity
    at_once: bool = False


@dataclass(frozen=True)
class EndCalls:
    """Hang up the calls on a media port, which stays registered; ``why`` is for people."""

    identity: Identity
    why: str


Action = Transact | Register | Unregister | Close | EndCalls


@dataclass
class Beating:
    """A heartbeat whose outcome is not known yet."""

    action: Transact
    sent: float


_GIVES = frozenset({StepKind.HAND_BACK, StepKind.HAND_OVER, StepKind.RETIRE})


@dataclass
class Flight:
    """A step whose outcome is not known yet; ``repeat_at`` when it must be repeated.

    ``first`` is when it was sent the first time. ``refused`` is the store's revision when it
    refused a repetition: every snapshot from there on shows whether it had committed before.
    """

    action: Transact
    step: Step
    sent: float
    first: float
    repeat_at: float | None = None
    repeated: bool = False
    refused: int | None = None

    def gives(self, identity: Identity) -> bool:
        """Whether the step may have made another server, or none, its owner already."""
        return self.step.kind in _GIVES and identity in self.step.identities

    def gives_up(self, identity: Identity) -> bool:
        """Whether the step may have ended our owning ``identity`` already.

        It was sent because nothing was registered, and nothing may be until its outcome is known,
        although an intent or a link has changed in between.
        """
        if self.step.kind is StepKind.GIVE_UP:
            return self.step.server == identity.home
        return self.step.kind is StepKind.LEAVE
