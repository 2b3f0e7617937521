"""A media port: answer, ask for a digit, send the caller on.

python examples/media_port.py 127.0.0.1 examples/menu.wav

It is 6001 at the call manager of ``examples/lab.toml``, for which it waits a minute.
"""

import functools
import sys

from pa_telephony import program, rtp, sccp


async def menu(prompt: str, call: sccp.Call) -> None:
    async with call.answer() as media:  # leaving drops the call …
        choice = await media.ask(prompt, digits=1)  # a key cuts the prompt
        await call.transfer("2000" if choice == "1" else "2001")  # … unless it is no longer ours


async def main(call_manager: str, prompt: str) -> None:
    async with rtp.open_engine(first_port=32000) as engine:
        opening = sccp.open_media_port("PA1-VI1", call_manager, engine=engine)
        async with program.ready_within(60, opening) as port:
            print(f"{port.number} is in service", flush=True)
            await port.serve(functools.partial(menu, prompt))


if __name__ == "__main__":
    program.run(main, *sys.argv[1:])
