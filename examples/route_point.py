"""A route point: send each caller of 6000 where it belongs.

python examples/route_point.py 127.0.0.1

The call manager is that of ``examples/lab.toml``, for which it waits a minute.
"""

import sys

from pa_telephony import cti, program

AGENTS = {"1001": "2001", "1002": "2002"}


async def route(session: cti.RouteSession) -> None:
    used = await session.select_route(AGENTS.get(session.calling, "2000"), "2999")
    print(f"{session.calling} goes to {used}", flush=True)


async def main(manager: str, *others: str) -> None:
    login = cti.open_provider([manager, *others], user="app", password="secret")
    async with (
        program.ready_within(60, login) as provider,
        provider.open_route_point("6000") as route_point,
    ):
        print("6000 is in service", flush=True)
        await route_point.serve(route)


if __name__ == "__main__":
    program.run(main, *sys.argv[1:])
