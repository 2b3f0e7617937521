"""A call manager, two phones and a call between them, all on this machine: nothing to install.

Run it with ``python examples/two_phones.py``. It prints what each side heard.
"""

from __future__ import annotations

import numpy as np
import trio

from pa_telephony import callmanager, program, rtp, sccp
from pa_telephony.callmanager import CallManagerConfig, DeviceConfig, LineConfig

CONFIG = CallManagerConfig(
    devices=(
        DeviceConfig(name="SEP000000001001", lines=(LineConfig(number="1001", name="Alice"),)),
        DeviceConfig(name="SEP000000001002", lines=(LineConfig(number="1002", name="Bob"),)),
    )
)


async def bob_answers(call: sccp.Call) -> None:
    """Say a 600 Hz tone for as long as the call lasts."""
    print(f"{call.called} rings, {call.calling} calls")
    async with call.answer() as media:
        await media.play(rtp.Tone((600,)))


async def main() -> None:
    """Call Bob from Alice's phone and listen for a second."""
    async with (
        callmanager.open_call_manager(CONFIG, sccp_port=0) as manager,
        rtp.open_engine() as engine,
        sccp.open_station("SEP000000001001", manager.sccp_address, engine=engine) as alice,
        sccp.open_station("SEP000000001002", manager.sccp_address, engine=engine) as bob,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(bob.serve, bob_answers)
        async with alice.call("1002") as call:
            media = await call.wait_media()
            with media.record() as recording:
                await trio.sleep(1)
            spectrum = np.abs(np.fft.rfft(recording.samples))
            loudest = spectrum.argmax() / recording.seconds
            stats = media.port.stats
            print(f"1001 heard {recording.seconds:.2f} s, loudest at {loudest:.0f} Hz")
            print(f"{stats.received} packets from {media.port.remote_address}, {stats.lost} lost")
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    program.run(main)
