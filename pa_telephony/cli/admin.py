"""``pa-telephony admin``: the administration in a browser, one process for the whole cluster."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import click
import trio

from pa_telephony.address import is_loopback
from pa_telephony.cli.running import log_options, run_until_stopped
from pa_telephony.cli.where import the_cluster, where_options
from pa_telephony.extras import need
from pa_telephony.failover.config import ClusterConfig

__all__ = ["admin"]


@click.command(short_help="The administration in a browser.")
@where_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option("--demo", is_flag=True, help="Bring a cluster of its own, to try things out.")
@click.option("--empty", is_flag=True, help="With --demo: begin without servers, as the document.")
@log_options
def admin(
    file: Path | None, store: Path | None, host: str, port: int, demo: bool, empty: bool
) -> None:
    """Serve /PAsystemadmin/ until SIGTERM or Ctrl-C: configure, watch, start and stop servers.

    It reads and writes the store alone, so that it goes on when a server of its machine is stopped;
    several may run. The first start makes the account administrator and prints its password once.
    Accounts and sessions are in a file beside the store.

    --demo runs a call manager, an agent, PA1 and PA2 besides, all of them gone when it ends.
    """
    need("admin", "starlette", "hypercorn", "jinja2", "argon2")
    if demo:
        if file is not None or store is not None:
            raise click.UsageError(
                "--demo brings a cluster of its own: neither --cluster nor --store"
            )
        from pa_telephony.admin.demo import open_demo

        opening = functools.partial(open_demo, empty=empty)
    elif empty:
        raise click.UsageError("--empty goes with --demo")
    else:
        opening = functools.partial(_theirs, the_cluster(file, store))
    if not is_loopback(host):
        warning = "passwords and cookies go there without TLS: put a proxy that has it in front"
        click.echo(f"warning: {host} is reached from other machines; {warning}", err=True)
    run_until_stopped(functools.partial(_run, opening, host, port))


@contextlib.asynccontextmanager
async def _theirs(cluster: ClusterConfig) -> AsyncGenerator[ClusterConfig]:
    yield cluster


async def _run(
    opening: Callable[[], contextlib.AbstractAsyncContextManager[ClusterConfig]],
    host: str,
    port: int,
) -> None:
    from pa_telephony.admin.serving import open_administration, open_pages

    async with (
        opening() as begin,
        open_administration(begin) as (administration, password),
        open_pages(administration, host, port) as chosen,
    ):
        where = f"[{host}]" if ":" in host else host
        click.echo(f"http://{where}:{chosen}/PAsystemadmin/")
        if password is not None:
            click.echo(f"user name administrator, password {password}")
        await trio.sleep_forever()
