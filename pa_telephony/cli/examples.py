"""``pa-telephony examples``: the programs and configurations that the documentation shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

import pa_telephony

__all__ = ["examples"]

_PACKAGE = Path(pa_telephony.__file__).parent
_SOURCES = (_PACKAGE / "examples", _PACKAGE.parent / "examples")
"""Where they stand: in an installed package, and in a checkout."""


@click.command(short_help="Write the examples of the documentation.")
@click.argument(
    "directory", type=click.Path(file_okay=False, path_type=Path), default=Path("examples")
)
def examples(directory: Path) -> None:
    """Write the programs and the configuration that the documentation shows into DIRECTORY.

    What is there already stays as it is.
    """
    source = next(each for each in _SOURCES if (each / "lab.toml").is_file())
    written = 0
    for name in _names(source):
        file = directory / name
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes((source / name).read_bytes())
            # It has passwords, if only those of the lab.
            file.chmod(0o600 if file.suffix == ".toml" else 0o644)
            written += 1
    files = "1 file" if written == 1 else f"{written} files"
    click.echo(f"{directory}: {files} written" if written else f"{directory}: all is there")


def _names(source: Path) -> Iterator[Path]:
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        made = any(part in ("__pycache__", "state") or part[0] == "." for part in name.parts)
        if path.is_file() and not made:
            yield name
