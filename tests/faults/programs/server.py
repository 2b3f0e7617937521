"""One server of the cluster; its application answers and stays until the caller hangs up.

python server.py cluster.toml NAME trace.jsonl [BLOCKS]

With BLOCKS the application stops the whole process for so many seconds, once, in its first call.
"""

from __future__ import annotations

import functools
import sys
import time
from pathlib import Path

from pa_telephony import failover, sccp
from pa_telephony.cli.running import open_trace, run_until_stopped
from pa_telephony.trace import EventRecord, Trace, only


class Stays(failover.Application):
    def __init__(self, blocks: float) -> None:
        self.blocks = blocks

    async def media_call(self, call: sccp.Call, identity: failover.Identity) -> None:
        blocks, self.blocks = self.blocks, 0.0
        time.sleep(blocks)  # noqa: ASYNC251 - this is the fault
        async with call.answer():
            await call.wait_ended()


async def main(file: str, name: str, blocks: float, trace: Trace) -> None:
    cluster = failover.load(file)
    for warning in cluster.warnings():
        print(f"warning: {warning}", file=sys.stderr, flush=True)
    async with failover.open_server(
        cluster, name, application=Stays(blocks), trace=trace
    ) as server:
        print("up", flush=True)
        await server.run()


if __name__ == "__main__":
    file, name, out, *more = sys.argv[1:]
    with open_trace(Path(out)) as whole:
        assert whole is not None
        events = only(EventRecord, whole)
        blocks = float(more[0]) if more else 0.0
        run_until_stopped(functools.partial(main, file, name, blocks, events), events)
