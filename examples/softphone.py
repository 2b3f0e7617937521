"""A softphone without a screen: calls or answers, plays a WAV file and records what it hears.

Run ``pa-telephony callmanager --config examples/lab.toml``, then in two terminals
``python examples/softphone.py SEP000000001002 --answer --record bob.wav`` and
``python examples/softphone.py SEP000000001001 --dial 1002 --play examples/greeting.wav``.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import sys

import trio

from pa_telephony import program, rtp, sccp
from pa_telephony.errors import CallEnded

say = functools.partial(print, flush=True)


async def talk(call: sccp.Call, media: rtp.Media, options: argparse.Namespace) -> None:
    """Play and record until the other side hangs up, or for so many seconds."""
    say(f"in a call with {call.connected_to}")
    ended, enough = contextlib.suppress(CallEnded), trio.move_on_after(options.seconds)
    with media.record() as heard, ended, enough:
        if options.play:
            await media.play(options.play)
        await call.wait_ended()
    stats = media.port.stats
    say(f"heard {heard.seconds:.1f} s: {stats.received} packets, {stats.lost} lost")
    if options.record:
        heard.save(options.record)


async def main(options: argparse.Namespace) -> None:
    """Register, and have one call."""
    async with (
        rtp.open_engine() as engine,
        program.ready_within(
            60, sccp.open_station(options.device, options.call_manager, engine=engine)
        ) as phone,
    ):
        say(f"{phone.number} is registered")
        if options.dial:
            async with phone.call(options.dial) as call:
                await talk(call, await call.wait_media(), options)
            return

        with trio.CancelScope() as one_call:

            async def answer(call: sccp.Call) -> None:
                async with call.answer() as media:
                    await talk(call, media, options)
                one_call.cancel()

            await phone.serve(answer)


parser = argparse.ArgumentParser(description="One call of an SCCP phone.")
parser.add_argument("device", help="device name, as in lab.toml")
what = parser.add_mutually_exclusive_group(required=True)
what.add_argument("--dial", metavar="NUMBER")
what.add_argument("--answer", action="store_true")
parser.add_argument("--for", dest="seconds", type=float, default=float("inf"), metavar="SECONDS")
parser.add_argument("--play", metavar="WAV", help="what to say")
parser.add_argument("--record", metavar="WAV", help="where to put what is heard")
parser.add_argument("--call-manager", default="127.0.0.1", metavar="HOST[:PORT]")

if __name__ == "__main__":
    try:
        program.run(main, parser.parse_args())
    except ValueError as error:
        sys.exit(str(error))
