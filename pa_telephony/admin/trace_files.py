"""The folder into which an agent has its servers trace: which files are there, and their ends."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["TraceFile", "TraceFiles"]

_NAME = re.compile(r"([A-Za-z0-9._-]+)-(\d+)\.jsonl")


@dataclass(frozen=True)
class TraceFile:
    """What one life of a server has written."""

    name: str
    server: str
    life: int
    size: int


class TraceFiles:
    """The folder; nothing but its files of traces is ever opened."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def all(self) -> tuple[TraceFile, ...]:
        """The files, by server, the last life first."""
        found: list[TraceFile] = []
        with contextlib.suppress(OSError), os.scandir(self.directory) as entries:
            for entry in entries:
                fits = _NAME.fullmatch(entry.name)
                if fits and entry.is_file(follow_symlinks=False):
                    size = entry.stat(follow_symlinks=False).st_size
                    found.append(TraceFile(entry.name, fits[1], int(fits[2]), size))
        return tuple(sorted(found, key=lambda each: (each.server, -each.life)))

    def end(self, name: str, most: int) -> list[bytes]:
        """The last whole lines of a file, of ``most`` bytes; none for a name that is no file's."""
        known = next((each for each in self.all() if each.name == name), None)
        if known is None:
            return []
        try:
            descriptor = os.open(self.directory / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return []
        with open(descriptor, "rb") as file:
            begin = max(0, os.fstat(descriptor).st_size - most)
            file.seek(begin)
            lines = file.read(most).split(b"\n")
        # The last one may be half written, and the first one half read.
        return lines[1 if begin else 0 : -1]
