"""Servers without sound and signalling, many to a process, for bench/growth.py."""

from __future__ import annotations

import contextlib
import cProfile
import io
import os
import pstats
import random
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import trio

from pa_telephony import failover
from pa_telephony.errors import ConnectionLost
from pa_telephony.failover.actions import Action, Close, EndCalls, Register, Transact, Unregister
from pa_telephony.failover.clock import boot_clock
from pa_telephony.failover.member import Member
from pa_telephony.failover.stored import offered
from pa_telephony.failover.stores.etcd import EtcdStore, open_etcd
from pa_telephony.failover.stores.etcd_address import EtcdAddress
from pa_telephony.failover.transaction import (
    Snapshot,
    StoreReplaced,
)

STAGGERED = 0.25


class Core:
    """A server without sound and signalling: a member, its store, a call manager that says yes."""

    def __init__(self, cluster: failover.Cluster, name: str, store: EtcdStore) -> None:
        self.store = store
        self.timing = cluster.timing
        now = boot_clock()
        offers = offered(cluster)
        self.member = Member(cluster, name, instance=uuid.uuid4().hex, now=now, offers=offers)
        for provider in cluster.used_providers:
            self.member.link(provider, True, now)
        self.wake = trio.Event()

    async def run(self) -> None:
        async with self.store.alive(self.member.name), trio.open_nursery() as nursery:
            nursery.start_soon(self.observe)
            while True:
                self.wake = trio.Event()
                for action in self.member.actions(boot_clock()):
                    self.perform(nursery, action)
                wait = self.member.next_deadline(boot_clock()) - boot_clock()
                with trio.move_on_after(max(wait, 0.0)):
                    await self.wake.wait()

    async def observe(self) -> None:
        told: Snapshot | None = None
        while True:
            asked = boot_clock()
            try:
                snapshot, told = told or await self.store.snapshot(), None
                asked = asked if snapshot.as_of is None else snapshot.as_of
                self.member.observe(snapshot, boot_clock(), asked=asked)
                if self.member.news:
                    self.wake.set()
                with trio.move_on_after(self.timing.own / 4):
                    told = await self.store.watch(snapshot)
            except StoreReplaced:
                raise
            except ConnectionLost:
                await trio.sleep(0.1)

    def perform(self, nursery: trio.Nursery, action: Action) -> None:
        member, now = self.member, boot_clock()
        match action:
            case Transact():
                nursery.start_soon(self.transact, action)
                return
            case Register(identity):
                member.registered(identity, now)
            case Unregister(identity):
                member.unregistered(identity, now)
            case Close(identity):
                member.closed(identity, now)
            case EndCalls():
                pass
        self.wake.set()

    async def transact(self, action: Transact) -> None:
        outcome = None
        with contextlib.suppress(ConnectionLost):
            outcome = await self.store.transact(action.transaction)
        self.member.finished(action, outcome, boot_clock())
        beaten = action.step is None and outcome is not None and outcome.committed
        if not beaten or self.member.withheld:
            self.wake.set()


async def cores(folder: Path, names: Sequence[str]) -> None:
    """Run these cores; each line of the standard input names one to be killed, its end ends all."""
    cluster = failover.load(folder / "cluster.toml")
    address = EtcdAddress.parse(cluster.store)
    lives: dict[str, trio.CancelScope] = {name: trio.CancelScope() for name in names}

    async def live(name: str) -> None:
        with lives[name]:
            while True:
                # As an agent does with a server that finds no store when it begins.
                with contextlib.suppress(ConnectionLost):
                    async with open_etcd(address, folder / name) as store:
                        await Core(cluster, name, store).run()
                await trio.sleep(random.uniform(0.5, 1.5))

    async with trio.open_nursery() as nursery:
        for name in names:
            nursery.start_soon(live, name)
            await trio.sleep(STAGGERED)
        rest = b""
        async with trio.lowlevel.FdStream(os.dup(0)) as lines:
            async for part in lines:
                *words, rest = (rest + part).split(b"\n")
                for word in words:
                    lives[word.decode()].cancel()
        nursery.cancel_scope.cancel()


def run_cores(folder: Path, names: Sequence[str], *, profile: bool) -> None:
    if not profile:
        trio.run(cores, folder, names)
        return
    seen = cProfile.Profile(time.thread_time)
    seen.runcall(trio.run, cores, folder, names)
    text = io.StringIO()
    pstats.Stats(seen, stream=text).strip_dirs().sort_stats("tottime").print_stats(30)
    (folder / "profile").write_text(text.getvalue())
