"""A program that uses the API, and holds every answer against what is declared of it."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
from form_browser import Browser, Clock, administration, signed_in
from whole_house import a_manager
from worlds import CLUSTER

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.api.operations import BASE, OPERATIONS, PROBLEM, find
from pa_telephony.admin.app import make_app
from pa_telephony.admin.roles import Role
from pa_telephony.admin.tokens import Tokens
from pa_telephony.callmanager import offer_control
from pa_telephony.failover import Cluster
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.configuring import save_configuration
from pa_telephony.failover.stores import MemoryStore

__all__ = [
    "SECRET",
    "Answer",
    "Program",
    "call_manager_socket",
    "opened",
    "session_of",
    "with_secret",
]

Answer = tuple[int, Any]
SECRET = "the-provider-s-password"


def with_secret() -> Cluster:
    """The cluster whose JTAPI provider has a password."""
    jtapi, skinny = CLUSTER.providers
    return replace(CLUSTER, providers=(replace(jtapi, password=SECRET), skinny))


class Program:
    """Asks with a token, or with what headers it is given."""

    def __init__(self, everything: Administration, headers: dict[str, str]) -> None:
        transport = httpx2.ASGITransport(app=make_app(everything), client=("192.0.2.8", 1))
        self.client = httpx2.AsyncClient(
            transport=transport, base_url="http://pa.example", headers=headers
        )

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Ask below the API's base; ``body`` is sent as JSON, and text as it stands."""
        content: bytes | None = None
        if isinstance(body, str | bytes):
            content = body.encode() if isinstance(body, str) else body
        elif body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            headers = {"content-type": "application/json", **headers}
        answer = await self.client.request(method, BASE + path, content=content, headers=headers)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        kind = answer.headers.get("content-type", "")
        if kind not in ("application/json", "application/problem+json"):
            return answer.status_code, answer.text
        found = answer.json()
        if answer.status_code >= 400:
            assert kind == "application/problem+json"
            assert [*PROBLEM.problems(found)] == []
            assert found["status"] == answer.status_code
        else:
            operation = find(answer.url.path)[0][method]
            assert operation in OPERATIONS
            assert answer.status_code == operation.status
            assert [*operation.answer.problems(found)] == []
        return answer.status_code, found


@contextlib.asynccontextmanager
async def opened(
    directory: Path,
    begin: ClusterConfig = CLUSTER,
    clock: Clock | None = None,
    control: Path | None = None,
) -> AsyncGenerator[tuple[dict[Role, Program], Administration, MemoryStore]]:
    """A program of each role, at a cluster whose store has its configuration."""
    store = MemoryStore()
    if isinstance(begin, Cluster):
        await save_configuration(begin, store, by="import")
    async with administration(directory, begin, store, clock, control=control) as (everything, _):
        programs: dict[Role, Program] = {}
        for role in Role:
            secret = Tokens(everything.records).make(f"a-{role.value}", role, "administrator")
            programs[role] = Program(everything, {"authorization": f"Bearer {secret}"})
        yield programs, everything, store


@contextlib.asynccontextmanager
async def call_manager_socket() -> AsyncGenerator[Path]:
    """The control socket of a call manager that runs, for :func:`opened`."""
    directory = Path(tempfile.mkdtemp(prefix="pa-"))  # short enough for a socket
    try:
        async with (
            a_manager(within=math.inf) as manager,
            offer_control(manager, directory / "c"),
        ):
            yield directory / "c"
    finally:
        shutil.rmtree(directory)


async def session_of(everything: Administration, password: str) -> tuple[Browser, Program]:
    """Somebody at a browser, and what a script in that could do."""
    browser = await signed_in(everything, password)
    program = Program(everything, {})
    program.client.cookies = browser.client.cookies
    return browser, program
