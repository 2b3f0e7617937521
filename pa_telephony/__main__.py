"""``pa-telephony`` and ``python -m pa_telephony``."""

from __future__ import annotations

import sys

from pa_telephony.extras import MissingExtra

__all__ = ["main"]


def main(*arguments: str) -> None:
    """Run the command line, with the program's own arguments if none are given.

    Without the extra ``cli``, say how to get it.
    """
    try:
        from pa_telephony.cli.main import cli
    except MissingExtra as missing:
        sys.exit(str(missing))

    cli(arguments or None, prog_name="pa-telephony")


if __name__ == "__main__":
    main()
