"""The pages of the administration on a TCP port, over a store in a file, and a client's bytes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from form_browser import PlainHasher
from worlds import CLUSTER

from pa_telephony.admin import serving
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.serving import open_administration, open_pages
from pa_telephony.failover.config import ClusterConfig

__all__ = ["ask", "opened"]


@contextlib.asynccontextmanager
async def opened(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    begin: ClusterConfig = CLUSTER,
    **options: Any,
) -> AsyncGenerator[tuple[Administration, int]]:
    monkeypatch.setattr(serving, "argon2_hasher", PlainHasher)
    here = replace(begin, file=str(directory / "cluster.toml"))
    async with (
        open_administration(here) as (all_pages, _),
        open_pages(all_pages, "127.0.0.1", 0, **options) as port,
    ):
        yield all_pages, port


async def ask(port: int, *lines: str, until: bytes = b"\r\n\r\n") -> bytes:
    """Send the lines of a request; gives what comes until these bytes, or the end."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        with trio.fail_after(30):
            async for part in stream:
                answer += part
                if until in answer:
                    break
        return answer
