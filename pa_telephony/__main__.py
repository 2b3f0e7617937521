"""``pa-telephony`` and ``python -m pa_telephony``."""

from __future__ import annotations

import sys

from pa_telephony.extras import MissingExtra

__all__ = ["main"]


def main() -> None:
    """Run the command line; without the extra ``cli``, say how to get it."""
    try:
        from pa_telephony.cli.main import cli
    except MissingExtra as missing:
        sys.exit(str(missing))

    cli(prog_name="pa-telephony")


if __name__ == "__main__":
    main()
