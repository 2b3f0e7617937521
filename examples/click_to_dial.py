"""Click to dial: a phone calls a number, and the sound stays with the phone.

python examples/click_to_dial.py 127.0.0.1 1001 1002

The call manager is that of ``examples/lab.toml``, for which it waits a minute.
"""

import sys

from pa_telephony import cti, program


async def main(manager: str, number: str, to: str) -> None:
    login = cti.open_provider(manager, user="app", password="secret")
    async with (
        program.ready_within(60, login) as provider,
        provider.open_address(number) as phone,
        phone.call(to) as call,  # the phone goes off hook; leaving the block hangs up
    ):
        await call.wait_connected()
        print(f"{call.calling} talks to {call.connected_to}", flush=True)
        await call.wait_ended()


if __name__ == "__main__":
    program.run(main, *sys.argv[1:])
