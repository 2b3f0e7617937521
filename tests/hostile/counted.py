"""``pa-telephony``, which says how many tasks it has when it is asked.

``python counted.py FILE ARGUMENTS``: the command line with these arguments; at SIGUSR1 the number
of trio's living tasks is written into FILE.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from pathlib import Path

import trio

from pa_telephony.__main__ import main


def tell(number: int, frame: object) -> None:
    # The disk may be full: then it is asked again.
    with contextlib.suppress(OSError):
        Path(sys.argv[0]).write_text(str(trio.lowlevel.current_statistics().tasks_living))


if __name__ == "__main__":
    del sys.argv[0]
    signal.signal(signal.SIGUSR1, tell)
    main()
