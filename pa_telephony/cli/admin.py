"""``pa-telephony admin``: the administration in a browser, one process for the whole cluster."""

from __future__ import annotations

import contextlib
import functools
import getpass
import re
import socket
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import trio

from pa_telephony.address import is_loopback
from pa_telephony.admin.access import Access, SignOn, plain_address
from pa_telephony.admin.roles import Role
from pa_telephony.cli.running import FILLED, keep_for_good, log_options, run_until_stopped
from pa_telephony.cli.where import the_cluster, the_cluster_once_there, where_options
from pa_telephony.errors import TelephonyError
from pa_telephony.extras import need
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.printable import printable_reason

if TYPE_CHECKING:
    from pa_telephony.admin.records import Records

__all__ = ["admin"]


_FILE = click.Path(dir_okay=False, exists=True, path_type=Path)


@click.group(short_help="The administration in a browser.", invoke_without_command=True)
@where_options
@click.option(
    "--host", type=FILLED, default="127.0.0.1", show_default=True, help="Where to listen."
)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option("--name", "names", multiple=True, help="A name by which browsers may ask for it.")
@click.option("--certificate", type=_FILE, help="Serve TLS with this PEM file.")
@click.option("--key", type=_FILE, help="The file of its key, if that is another one.")
@click.option("--sign-on-header", help="The header in which a proxy names who has signed on.")
@click.option("--sign-on-from", multiple=True, help="An address of that proxy.")
@click.option(
    "--trace-directory",
    "traces",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder into which this machine's agent has its servers trace, for the page Traces.",
)
@click.option(
    "--control",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The call manager's control socket; without it the well-known one of a call manager on"
    " this machine that the cluster's providers name.",
)
@click.option(
    "--max-connections",
    "most",
    default=2000,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="How many connections are served at once.",
)
@click.option("--demo", is_flag=True, help="Bring a cluster of its own, to try things out.")
@click.option("--empty", is_flag=True, help="With --demo: begin without servers, as the document.")
@log_options
@click.pass_context
def admin(
    context: click.Context,
    file: Path | None,
    store: str | None,
    host: str,
    port: int,
    names: tuple[str, ...],
    certificate: Path | None,
    key: Path | None,
    sign_on_header: str | None,
    sign_on_from: tuple[str, ...],
    traces: Path | None,
    control: Path | None,
    most: int,
    demo: bool,
    empty: bool,
) -> None:
    """Serve /PAsystemadmin/ until SIGTERM or Ctrl-C: configure, watch, start and stop servers.

    It reads and writes the store, so that it goes on when a server of its machine is stopped;
    several may run. A call manager of its machine is shown and steered over its control socket. The
    first start makes the account administrator and prints its password once. Accounts and sessions
    are in a file beside the store.

    It is answered for addresses, localhost, and each --name. --demo runs a call manager, an agent,
    PA1 and PA2 besides, all of them gone when it ends, and has a page to kill them, to stop them
    dead and to cut them off.
    """
    if context.invoked_subcommand is not None:
        return
    need("admin", "starlette", "hypercorn", "jinja2", "argon2")
    if demo:
        if (file, store, traces, control) != (None, None, None, None):
            given = "no --cluster, --store, --trace-directory or --control"
            raise click.UsageError(f"--demo brings a cluster of its own: {given}")
        from pa_telephony.admin.demo import open_demo

        opening = functools.partial(open_demo, empty=empty)
    elif empty:
        raise click.UsageError("--empty goes with --demo")
    else:
        opening = functools.partial(_theirs, the_cluster_once_there(file, store))
    if key is not None and certificate is None:
        raise click.UsageError("--key goes with --certificate")
    access = _access((host, *names), sign_on_header, sign_on_from)
    if certificate is None and not is_loopback(host):
        warning = "passwords and cookies go there without TLS: give --certificate, or put a proxy"
        click.echo(
            f"warning: {host} is reached from other machines; {warning} that has it in front",
            err=True,
        )
    run = functools.partial(_run, opening, access, host, port, certificate, key)
    run_until_stopped(functools.partial(run, control, most=most, demo=demo, traces=traces))


def _access(names: tuple[str, ...], header: str | None, proxies: tuple[str, ...]) -> Access:
    if (header is None) != (not proxies):
        raise click.UsageError("--sign-on-header and --sign-on-from go together")
    sign_on = None
    if header is not None:
        if not re.fullmatch(r"[A-Za-z0-9-]{1,100}", header):
            raise click.UsageError(f"--sign-on-header {header!r} is no name of a header")
        for each in proxies:
            if not plain_address(each):
                raise click.UsageError(f"--sign-on-from {each!r} is no IP address")
        sign_on = SignOn(header, frozenset(map(plain_address, proxies)))
    return Access(frozenset(name.lower().removesuffix(".") for name in names), sign_on)


@admin.command(short_help="Make a token for programs that use the API, or revoke it.")
@where_options
@click.option("--role", type=click.Choice(["reader", "operator", "administrator"]))
@click.option("--revoke", is_flag=True, help="Take it away.")
@click.argument("name")
def token(file: Path | None, store: str | None, role: str | None, revoke: bool, name: str) -> None:
    """Make the token NAME and print its secret, which is kept nowhere else; or --revoke it."""
    if revoke == (role is not None):
        raise click.UsageError("either --role or --revoke")
    records, by = _records(file, store), f"{getpass.getuser()}@{socket.gethostname()}"
    from pa_telephony.admin.tokens import Tokens

    try:
        if role is None:
            Tokens(records).revoke(name)
            records.note(by, "", f"revoked the token {name}")
        else:
            secret = Tokens(records).make(name, Role(role), by)
            records.note(by, "", f"made the token {name} as {role}")
            click.echo(secret)
    except TelephonyError as error:
        raise click.ClickException(printable_reason(str(error))) from error


@admin.command(short_help="List the tokens.")
@where_options
def tokens(file: Path | None, store: str | None) -> None:
    """List the tokens: their roles, who made them, and when they were used last."""
    from pa_telephony.admin.tokens import Tokens

    for each in Tokens(_records(file, store)).all():
        used = "never used" if each.used is None else f"last used {_when(each.used)}"
        made = f"made {_when(each.made)} by {each.by}"
        click.echo(printable_reason(f"{each.name}: {each.role.value}, {made}, {used}"))


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _records(file: Path | None, store: str | None) -> Records:
    need("admin", "argon2")
    from pa_telephony.admin.records import Records, argon2_hasher, records_beside

    return Records(records_beside(the_cluster(file, store).store_path), argon2_hasher())


@contextlib.asynccontextmanager
async def _theirs(cluster: ClusterConfig) -> AsyncGenerator[ClusterConfig]:
    yield cluster


async def _run(
    opening: Callable[[], contextlib.AbstractAsyncContextManager[ClusterConfig]],
    access: Access,
    host: str,
    port: int,
    certificate: Path | None,
    key: Path | None,
    control: Path | None,
    *,
    most: int,
    demo: bool,
    traces: Path | None,
) -> None:
    from pa_telephony.admin.demo import CONTROL, TRACES
    from pa_telephony.admin.serving import open_administration, open_pages

    async with (
        opening() as begin,
        open_administration(
            begin,
            access,
            demo=demo,
            traces=begin.directory / TRACES if demo else traces,
            control=Path(begin.file).parent / CONTROL if demo else control,
        ) as (administration, password),
        open_pages(administration, host, port, certificate, key, most=most) as chosen,
    ):
        keep_for_good()
        where = f"[{host}]" if ":" in host else host
        scheme = "http" if certificate is None else "https"
        click.echo(f"{scheme}://{where}:{chosen}/PAsystemadmin/")
        if password is not None:
            click.echo(f"user name administrator, password {password}")
        await trio.sleep_forever()
