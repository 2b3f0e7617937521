"""``make demo-machines``: the story of `pa-telephony demo` on two machines, with their store.

PA1 and PA2 are on a machine each, with an agent and a member of etcd; the third member is where the
call manager and the phones are. PA1 is stopped, and started; its machine loses its power, and gets
it back; an operator drains it, moves its numbers and restarts both. Sound is judged by content, as
there. Needs root and etcd; files go to demo-out/machines. Exits 1 if a promise was not kept.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import shutil
import sys
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import trio
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parent))

from machines import Network, address
from members import Members

from pa_telephony.cli.demo.command import write_down
from pa_telephony.cli.demo.report import Report
from pa_telephony.cli.demo.setting import Process, Stage
from pa_telephony.cli.demo.story import Story

SERVERS = {"PA1": 31, "PA2": 32}
HERE = 21
"""The machine of the call manager, the phones, and this program."""
_CLONE_NEWNET = 0x40000000
_LONGEST = 400.0
_LOST_WITHIN = 7.0
"""Seconds until the numbers of a lost machine must be served: its server must have been silent for
five, and nobody may take them before."""


class MachineStage(Stage):
    """The stage whose servers are on machines of their own."""

    call_manager_address = address(HERE)
    phone_address = address(HERE)
    agents_run = "the agents of both machines run, and start PA1 and PA2"

    def __init__(self, directory: Path, network: Network) -> None:
        super().__init__(directory)
        self.network = network
        # The phones speak while machines are switched, which takes as long as some frames. What
        # is started ends with the thread that did it; those of trio end when they are idle.
        self._switching = ThreadPoolExecutor(1)
        self.members = Members(network, directory, (*SERVERS.values(), HERE))
        text = self.cluster_file.read_text().replace("127.0.0.10", self.call_manager_address)
        for number, host in enumerate(SERVERS.values(), 11):
            text = text.replace(f"127.0.0.{number}", address(host))
        # A dead machine's ports are to be had as soon as its keepalives are missed.
        manager = directory / "callmanager.toml"
        port = 'kind = "media port"\n'
        manager.write_text(manager.read_text().replace(port, f"{port}keep_alive = 1\n"))
        self.cluster_file.write_text(f'store = "{self.store}"\n{text}')
        for host in (*SERVERS.values(), HERE):
            network.machine(host)
        self.members.begin(network.machines[HERE])
        os.environ["PA_TELEPHONY_STATE"] = str(self._state(HERE))

    @property
    def store(self) -> str:
        """Where the servers agree."""
        return self.members.url("/demo")

    def _state(self, host: int) -> Path:
        where = self.directory / f"state-{host}"
        where.mkdir(mode=0o700, exist_ok=True)
        return where

    def _where(self, name: str) -> list[str]:
        if not name.isdigit():
            return []  # This program is there itself.
        state = f"PA_TELEPHONY_STATE={self._state(int(name))}"
        machine = self.network.machines[int(name)]
        return machine.inside(["env", "--chdir", self.directory, state])

    @asynccontextmanager
    async def agent(self) -> AsyncGenerator[Process]:
        """Run the agents; gives the last one, which is ready when all are."""
        async with AsyncExitStack() as stack:
            agents = [await stack.enter_async_context(self.agent_of(each)) for each in SERVERS]
            await agents[0].wait_ready()
            yield agents[1]

    @asynccontextmanager
    async def agent_of(self, server: str) -> AsyncGenerator[Process]:
        """Run the agent of a server's machine."""
        host = SERVERS[server]
        command = ("agent", "--cluster", "cluster.toml", "--log-directory", ".")
        trace = self.directory / f"agent-{host}.jsonl"
        module = ("pa_telephony", *command, "--trace-directory", ".")
        async with self._run(str(host), trace, *module) as agent:
            yield agent

    async def kill(self, name: str) -> float:
        """Take the power of a server's machine; gives when."""
        life = self.life(name)
        life.ended = time.time()
        await self._switch(lambda: self.network.lose(SERVERS[name]))
        return life.ended

    async def bring_back(self, name: str) -> None:
        """Give a server's machine its power again; the member of the store starts with it."""

        def switch_on() -> None:
            self.network.machine(SERVERS[name])
            self.members.start(SERVERS[name])

        await self._switch(switch_on)

    async def _switch(self, how: Callable[[], object]) -> None:
        await trio.to_thread.run_sync(self._switching.submit(how).result)

    def _end_servers(self) -> None:
        """Leave them to the end of their machines."""


class MachineStory(Story):
    """The story, in which PA1's machine loses its power."""

    death = "on a machine that loses its power"
    takeovers_within = (1.0, _LOST_WITHIN)
    stage: MachineStage

    async def play(self) -> None:
        """Play all rounds; the agent of the machine that comes back lives until the end."""
        async with AsyncExitStack() as self._later:
            await super().play()

    async def _let_home(self) -> None:
        """Give PA1's machine its power again, and let PA1's numbers home."""
        self._moment(time.time(), "power")
        await self.stage.bring_back("PA1")
        agent = await self._later.enter_async_context(self.stage.agent_of("PA1"))
        await agent.wait_ready()
        self.report.step("PA1's machine has power again, and its agent runs")
        await super()._let_home()


def _enter(process: int) -> None:
    """Go into the network of a machine, and so does everything that is started from now on."""
    with open(f"/proc/{process}/ns/net") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "cannot enter the network of a machine")


def main() -> int:
    """Play it and write down what was seen; the exit status."""
    programs = ("ip", "unshare", "nsenter", "etcd", "curl")
    missing = [each for each in programs if not shutil.which(each)]
    if missing or os.geteuid():
        print(f"It needs root, and {', '.join(missing or programs)}.", file=sys.stderr)
        return 2
    gc.disable()
    out = Path("demo-out", "machines").absolute()
    shutil.rmtree(out, ignore_errors=True)
    console = Console()
    report = Report(console)
    started = time.time()
    with Network() as network:
        stage = MachineStage(out, network)
        story = MachineStory(stage, report, [])
        _enter(network.machines[HERE].first)

        async def play() -> None:
            with trio.move_on_after(_LONGEST) as late:
                await story.play()
            if late.cancelled_caught:
                report.check("the story ends", False, f"not within {_LONGEST:.0f} s")

        with contextlib.suppress(KeyboardInterrupt):
            trio.run(play)
    report.round = "afterwards"
    write_down(story, started, out)
    console.print(report.summary())
    report.write(out / "summary.json")
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
