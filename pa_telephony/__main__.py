"""``pa-telephony`` and ``python -m pa_telephony``."""

from __future__ import annotations

import importlib.util
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; without the extra ``cli``, say how to get it."""
    for name in ("click", "rich"):
        if importlib.util.find_spec(name) is None:
            sys.exit(f"{name} is missing. Install it with: pip install 'pa-telephony[cli]'")

    from pa_telephony.cli.main import cli

    cli(prog_name="pa-telephony")


if __name__ == "__main__":
    main()
