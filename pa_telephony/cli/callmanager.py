"""``pa-telephony callmanager``: the embedded call manager as a process."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import click

from pa_telephony import callmanager as manager
from pa_telephony.callmanager.validation import warnings
from pa_telephony.cli.running import (
    FILLED,
    keep_for_good,
    log_messages,
    log_options,
    open_trace,
    run_until_stopped,
    stalls_option,
    trace_options,
)
from pa_telephony.errors import ConnectionLost
from pa_telephony.printable import printable_lines
from pa_telephony.trace import Trace

__all__ = ["callmanager"]

_CTI_TLS_PORT = 2749


@click.command(short_help="Run the embedded call manager.")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="TOML file with devices, lines, partitions, search spaces and users.",
)
@click.option("--host", type=FILLED, help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--node",
    type=click.IntRange(min=1),
    help="Which of the file's `nodes` this one is, from 1: it listens on that address.",
)
@click.option("--sccp-port", type=click.IntRange(0, 65535), default=2000, show_default=True)
@click.option("--cti-port", type=click.IntRange(0, 65535), default=2748, show_default=True)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="SECTION.FIELD=VALUE",
    help="Counts instead of the file's, as applications.max_connections=100; several times.",
)
@click.option(
    "--tls-certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PEM file: the CTI Manager takes encrypted connections, too (with --tls-key).",
)
@click.option("--tls-key", type=click.Path(dir_okay=False, path_type=Path), help="Its private key.")
@click.option(
    "--cti-tls-port",
    type=click.IntRange(0, 65535),
    help="Where it takes them, with a certificate.  [default: 2749]",
)
@click.option(
    "--control",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The socket for `top` and `cm`, in place of one in $XDG_RUNTIME_DIR/pa-telephony or"
    " /tmp/pa-telephony-UID, where they find it.",
)
@trace_options
@stalls_option
@log_options
def callmanager(
    config: Path,
    host: str | None,
    node: int | None,
    sccp_port: int,
    cti_port: int,
    settings: tuple[str, ...],
    tls_certificate: Path | None,
    tls_key: Path | None,
    cti_tls_port: int | None,
    control: Path | None,
    trace_file: Path | None,
    trace_keyed: bool,
    trace_stalls: bool,
) -> None:
    """Run a call manager until SIGTERM or Ctrl-C: SCCP stations on one port, CTI on another."""
    loaded = manager.load(config, settings)
    if tls_certificate is not None or tls_key is not None:
        files = manager.TlsFiles(certificate=str(tls_certificate or ""), key=str(tls_key or ""))
        loaded = dataclasses.replace(loaded, cti_tls=files)
    if cti_tls_port is not None and not loaded.cti_tls.certificate:
        raise click.UsageError("--cti-tls-port goes with a certificate: --tls-certificate")
    for warning in warnings(loaded):
        click.echo(f"warning: {warning}", err=True)
    address = _address(loaded.nodes, host, node)
    if told := _told_of_nodes(loaded.nodes, address):
        click.echo(told, err=True)
    with open_trace(trace_file, keyed=trace_keyed) as trace:
        traced = log_messages(trace)
        opening = functools.partial(
            manager.open_call_manager,
            loaded,
            host=address,
            sccp_port=sccp_port,
            cti_port=cti_port,
            cti_tls_port=_CTI_TLS_PORT if cti_tls_port is None else cti_tls_port,
            trace=traced,
        )
        stalls = trace if trace_stalls else None
        run_until_stopped(functools.partial(_run, opening, control, traced), stalls)


def _address(nodes: Sequence[str], host: str | None, node: int | None) -> str:
    """Where to listen; raises UsageError where the options contradict each other or the file."""
    if node is None:
        return host or "127.0.0.1"
    if host is not None:
        raise click.UsageError("--node and --host both name an address")
    if node > len(nodes):
        raise click.UsageError(f"--node {node}: the file names {len(nodes)} nodes")
    return nodes[node - 1]


def _told_of_nodes(nodes: Sequence[str], address: str) -> str:
    """What is to be said of listening at an address where the file names nodes; "" for nothing."""
    others = ", ".join(each for each in nodes if each != address)
    if not others:
        return ""
    if address not in nodes:
        return f"{address} is none of the file's nodes, which are {others}: --node N takes the Nth"
    return (
        f"node {nodes.index(address) + 1} of {len(nodes)}: no trunk leads to {others}, so a call"
        " reaches what is registered here, and nothing else"
    )


async def _run(
    opening: Callable[[], AbstractAsyncContextManager[manager.CallManager]],
    control: Path | None,
    trace: Trace | None,
) -> None:
    import trio

    async with opening() as running, AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(manager.offer_control(running, control, trace=trace))
        except ConnectionLost as error:
            if control is not None:
                raise
            # Somebody else may have made the well-known place unsafe: calls go on all the same.
            click.echo(f"warning: no control socket: {printable_lines(str(error))}", err=True)
        keep_for_good()
        cti = running.cti_address or "off: no users"
        tls = f"  CTI over TLS {running.cti_tls_address}" if running.cti_tls_address else ""
        click.echo(f"SCCP {running.sccp_address}  CTI {cti}{tls}")
        await trio.sleep_forever()
