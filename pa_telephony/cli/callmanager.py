"""``pa-telephony callmanager``: the embedded call manager as a process."""

from __future__ import annotations

import functools
from pathlib import Path

import click

from pa_telephony import callmanager as manager
from pa_telephony.cli.running import open_trace, run_until_stopped
from pa_telephony.trace import Trace

__all__ = ["callmanager"]


@click.command(short_help="Run the embedded call manager.")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="TOML file with devices, lines, partitions, search spaces and users.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--sccp-port", type=click.IntRange(0, 65535), default=2000, show_default=True)
@click.option("--cti-port", type=click.IntRange(0, 65535), default=2748, show_default=True)
@click.option(
    "--trace",
    "trace_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all traffic to FILE.pcap, or as JSON lines to any other name.",
)
def callmanager(
    config: Path, host: str, sccp_port: int, cti_port: int, trace_file: Path | None
) -> None:
    """Run a call manager until SIGTERM or Ctrl-C: SCCP stations on one port, CTI on another."""
    loaded = manager.load(config)
    with open_trace(trace_file) as trace:
        run_until_stopped(functools.partial(_run, loaded, host, sccp_port, cti_port, trace))


async def _run(
    config: manager.CallManagerConfig,
    host: str,
    sccp_port: int,
    cti_port: int,
    trace: Trace | None,
) -> None:
    import trio

    async with manager.open_call_manager(
        config, host=host, sccp_port=sccp_port, cti_port=cti_port, trace=trace
    ) as running:
        click.echo(f"SCCP {running.sccp_address}  CTI {running.cti_address or 'off: no users'}")
        await trio.sleep_forever()
