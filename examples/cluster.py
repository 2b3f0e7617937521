"""A failover cluster: one server of it, each usually in its own process.

pa-telephony callmanager --config examples/lab.toml --host 127.0.0.10 &
python examples/cluster.py examples/cluster.toml PA1 &
python examples/cluster.py examples/cluster.toml PA2 &
sleep 5
pa-telephony status --cluster examples/cluster.toml
"""

import sys
from pathlib import Path

from pa_telephony import failover, program, sccp

GREETING = Path(__file__).with_name("greeting.wav")


class Greet(failover.Application):
    """What the servers do with a call at a media port: a greeting, then on to 1002."""

    async def media_call(self, call: sccp.Call, identity: failover.Identity) -> None:
        async with call.answer() as media:
            await media.play(GREETING)
            await call.transfer("1002")


async def main(file: str, name: str) -> None:
    cluster = failover.load(file)  # the fields of the Server Configuration page
    async with failover.open_server(cluster, name, application=Greet()) as server:
        await server.run()  # takes over for others, gives back, until cancelled


if __name__ == "__main__":
    program.run(main, *sys.argv[1:])
