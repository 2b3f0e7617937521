"""The command line: one module a command, each imported when it is used."""

from pa_telephony.extras import need

need("cli", "click", "rich")
