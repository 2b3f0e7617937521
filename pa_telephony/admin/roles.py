"""Who may do what: the roles of accounts and tokens, and one table. Pure.

Pages and API ask the same table. Which act a page or an operation is, stands in :data:`PAGES` and
beside each operation of the API; what stands nowhere is for administrators.
"""

from __future__ import annotations

import enum
import re

from pa_telephony.tables import decisions

__all__ = ["PAGES", "TABLE", "Act", "Role", "account_problem", "act_of_page", "why_not"]

_BASE = "/PAsystemadmin"


class Role(enum.Enum):
    """What an account or a token is for; the values stand in records, pages and the API."""

    READER = "reader"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


class Act(enum.Enum):
    """What somebody may want to do; the values continue "may not"."""

    LOOK = "look at the cluster and its configuration"
    OPERATE = "give orders to servers"
    CONFIGURE = "change the configuration"
    ADMINISTER = "manage accounts and tokens, or read the audit log and traces"
    OWN = "change the own password or end the own sessions"


TABLE = decisions(
    Role,
    Act,
    {
        (Role.READER, Act.LOOK): True,
        (Role.READER, Act.OPERATE): False,
        (Role.READER, Act.CONFIGURE): False,
        (Role.READER, Act.ADMINISTER): False,
        (Role.READER, Act.OWN): True,
        (Role.OPERATOR, Act.LOOK): True,
        (Role.OPERATOR, Act.OPERATE): True,
        (Role.OPERATOR, Act.CONFIGURE): False,
        (Role.OPERATOR, Act.ADMINISTER): False,
        (Role.OPERATOR, Act.OWN): True,
        (Role.ADMINISTRATOR, Act.LOOK): True,
        (Role.ADMINISTRATOR, Act.OPERATE): True,
        (Role.ADMINISTRATOR, Act.CONFIGURE): True,
        (Role.ADMINISTRATOR, Act.ADMINISTER): True,
        (Role.ADMINISTRATOR, Act.OWN): True,
    },
)
"""Whether a role may do an act."""


def why_not(role: Role, act: Act) -> str:
    """Why a role may not do this, in a sentence; "" when it may."""
    if TABLE[role, act]:
        return ""
    others = " or ".join(each.value for each in Role if TABLE[each, act])
    return f"The role {role.value} may not {act.value}. The role {others} may."


PAGES = {
    "server-status": (Act.LOOK, Act.ADMINISTER),
    "server-configuration": (Act.LOOK, Act.CONFIGURE),
    "control-center": (Act.LOOK, Act.OPERATE),
    "demo": (Act.OPERATE, Act.OPERATE),
    "alarms": (Act.LOOK, Act.ADMINISTER),
    "call-manager": (Act.LOOK, Act.OPERATE),
    "cluster": (Act.LOOK, Act.ADMINISTER),
    "configuration-history": (Act.LOOK, Act.CONFIGURE),
    "telephony": (Act.LOOK, Act.CONFIGURE),
    "speech-services": (Act.LOOK, Act.CONFIGURE),
    "cluster-settings": (Act.LOOK, Act.CONFIGURE),
    "help": (Act.LOOK, Act.ADMINISTER),
    "login": (Act.OWN, Act.OWN),
    "log-out": (Act.OWN, Act.OWN),
    "password": (Act.OWN, Act.OWN),
    "accounts": (Act.ADMINISTER, Act.ADMINISTER),
    "tokens": (Act.ADMINISTER, Act.ADMINISTER),
    "traces": (Act.ADMINISTER, Act.ADMINISTER),
    "audit": (Act.ADMINISTER, Act.ADMINISTER),
}
"""What it is to open a page, and to send its form; what lies below a page is as the page."""


def act_of_page(method: str, path: str) -> Act:
    """What it is to ask for this."""
    if path in ("/", _BASE, f"{_BASE}/"):
        return Act.LOOK if method != "POST" else Act.ADMINISTER
    page = path.removeprefix(f"{_BASE}/").partition("/")[0]
    opened, sent = PAGES.get(page, (Act.ADMINISTER, Act.ADMINISTER))
    return sent if method == "POST" else opened


_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,31}")


def account_problem(name: str) -> str:
    """Why an account or a token cannot have this name; "" when it can."""
    if _NAME.fullmatch(name):
        return ""
    return "must be 1 to 32 of a to z, 0 to 9, and . _ @ - behind the first"
