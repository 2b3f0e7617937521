"""A monitor: print what happens to the calls of some lines.

python examples/monitor.py 127.0.0.1 1001 1002

The call manager is that of ``examples/lab.toml``, for which it waits a minute.
"""

import contextlib
import sys

from pa_telephony import cti, program


async def main(manager: str, *numbers: str) -> None:
    login = cti.open_provider(manager, user="app", password="secret")
    async with contextlib.AsyncExitStack() as stack:
        provider = await stack.enter_async_context(program.ready_within(60, login))
        events = stack.enter_context(provider.events())
        for number in numbers:  # only calls of lines that are open are seen
            await stack.enter_async_context(provider.open_address(number))
        print(f"{', '.join(numbers)}: watched", flush=True)
        async for event in events:
            match event:
                case cti.ConnectionChanged(connection, state):
                    print(f"{connection.call}: {connection.address} is {state.value}", flush=True)
                case cti.CallInvalid(call):
                    print(f"{call}: over", flush=True)
                case _:
                    pass


if __name__ == "__main__":
    program.run(main, *sys.argv[1:])
