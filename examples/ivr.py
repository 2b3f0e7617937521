"""A CTI port: answer, ask for a digit, send the caller on.

python examples/ivr.py 127.0.0.1 examples/menu.wav

It is 5001 at the call manager of ``examples/lab.toml``, for which it waits a minute.
"""

import functools
import sys

from pa_telephony import cti, program, rtp


async def menu(prompt: str, call: cti.MediaCall) -> None:
    async with call.answer() as media:  # leaving drops the call …
        choice = await media.ask(prompt, digits=1)  # a key cuts the prompt
        target = "2000" if choice == "1" else "2001"
        await call.redirect(target)  # … unless it is no longer ours
        print(f"{call.calling} pressed {choice} and goes to {target}", flush=True)


async def main(manager: str, prompt: str) -> None:
    login = cti.open_provider(manager, user="app", password="secret")
    async with (
        rtp.open_engine(first_port=34000) as engine,
        program.ready_within(60, login) as provider,
        provider.open_media_terminal("5001", engine=engine) as port,
    ):
        print(f"{port.number} is in service", flush=True)
        await port.serve(functools.partial(menu, prompt))


if __name__ == "__main__":
    program.run(main, *sys.argv[1:])
