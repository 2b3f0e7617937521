"""An io_uring sends and receives for many sockets in one system call, and says what became of it.

Against the kernel that we run on; and against one of this file, which does what that does seldom:
takes less than it is given, ends late and in another order, has counted nearly to the end.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from loopback import HOST
from numpy.typing import NDArray

from pa_telephony.rtp.rows import addresses_of
from pa_telephony.rtp.uring import MOST_SLOTS, Slots, Uring, UringUnavailable, open_uring

SIZE = 64


@pytest.fixture
def uring() -> Iterator[Uring]:
    try:
        found = open_uring(32)
    except UringUnavailable as error:
        pytest.skip(f"this kernel lets us make no io_uring: {error}")
    with closing(found):
        yield found


class Sockets:
    """Pairs of UDP sockets that are connected, and memory for what they send and receive."""

    def __init__(self, count: int) -> None:
        self.left, self.right = self._bound(count), self._bound(count)
        for one, other in zip(self.left, self.right, strict=True):
            one.connect(other.getsockname())
            other.connect(one.getsockname())
        self.sent = np.zeros((count, SIZE), np.uint8)
        self.came = np.zeros((count, SIZE), np.uint8)
        self.to_send = np.arange(count, dtype=np.uint32)
        """The slots that send, from the left to the right."""
        self.to_receive = self.to_send + np.uint32(count)

    @staticmethod
    def _bound(count: int) -> list[socket.socket]:
        made = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        for each in made:
            each.setblocking(False)
            each.bind((HOST, 0))
        return made

    def prepare(self, uring: Uring, octets: int = SIZE) -> None:
        left, right = ([each.fileno() for each in side] for side in (self.left, self.right))
        uring.prepare_sends(self.to_send, left, addresses_of(self.sent), octets)
        uring.prepare_receives(self.to_receive, right, addresses_of(self.came), SIZE)

    @property
    def all(self) -> Slots:
        return np.concatenate((self.to_send, self.to_receive))

    def close(self) -> None:
        for each in self.left + self.right:
            each.close()


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    with closing(Sockets(16)) as made:
        yield made


def test_what_is_sent_in_a_run_is_received_in_the_same(uring: Uring, sockets: Sockets) -> None:
    sockets.prepare(uring)
    # Both queues are circles, and these runs go round several times.
    for turn in range(50):
        count = 1 + turn * 7 % 16
        sockets.sent[:] = (turn + np.arange(16)[:, np.newaxis]) % 251
        slots = np.concatenate((sockets.to_send[:count], sockets.to_receive[:count]))
        assert uring.run(slots).tolist() == [SIZE] * 2 * count
        assert (sockets.came[:count] == sockets.sent[:count]).all()


def test_every_slot_can_be_asked_for_at_once(uring: Uring, sockets: Sockets) -> None:
    sockets.prepare(uring)
    for _ in range(5):
        assert uring.run(sockets.all).tolist() == [SIZE] * 32
    assert uring.run(sockets.to_send[:0]).tolist() == []


def test_results_stand_in_the_order_of_the_slots_and_tell_lengths(
    uring: Uring, sockets: Sockets
) -> None:
    sockets.prepare(uring)
    for length, each in zip((5, 0, SIZE + 1), sockets.left, strict=False):
        each.send(bytes([length]) * length)
    # A datagram may be empty, or longer than there is room; and none is no error of the others.
    wanted = {3: -errno.EAGAIN, 2: SIZE, 0: 5, 1: 0}
    assert uring.run(sockets.to_receive[[*wanted]]).tolist() == [*wanted.values()]
    assert sockets.came[0, :6].tolist() == [5] * 5 + [0]


def test_more_than_one_datagram_waits_for_the_next_run(uring: Uring, sockets: Sockets) -> None:
    sockets.prepare(uring)
    for number in range(3):
        sockets.left[0].send(bytes([number]) * 7)
    one = sockets.to_receive[:1]
    for number in range(3):
        assert uring.run(one).tolist() == [7]
        assert sockets.came[0, 0] == number
    assert uring.run(one).tolist() == [-errno.EAGAIN]


def test_what_fails_says_why_and_keeps_nothing_back(uring: Uring, sockets: Sockets) -> None:
    gone, unconnected = sockets.right[0], socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with unconnected:
        sockets.prepare(uring)
        uring.prepare_sends(
            sockets.to_send[1:3],
            [unconnected.fileno(), 1_000_000],
            addresses_of(sockets.sent)[1:3],
            SIZE,
        )
        uring.prepare_sends(sockets.to_send[3:4], [sockets.left[3].fileno()], nowhere(), SIZE)
        gone.close()
        four_and_a_good_one = sockets.to_send[:5]
        assert uring.run(four_and_a_good_one).tolist() == [
            # The ICMP error comes behind the packet, and the next one is refused.
            SIZE,
            -errno.EDESTADDRREQ,
            -errno.EBADF,
            -errno.EFAULT,
            SIZE,
        ]
        assert uring.run(four_and_a_good_one)[0] == -errno.ECONNREFUSED
        assert uring.run(sockets.to_receive[4:5]).tolist() == [SIZE]


def nowhere() -> NDArray[np.uint64]:
    return np.array([8], np.uint64)


def descriptors() -> set[str]:
    return {each.name for each in Path("/proc/self/fd").iterdir()}


def test_closed_it_leaves_no_descriptor_and_while_open_no_child_inherits_one() -> None:
    before = descriptors()
    try:
        uring = open_uring(8)
    except UringUnavailable as error:
        pytest.skip(f"this kernel lets us make no io_uring: {error}")
    opened = descriptors() - before
    # The listing above had a descriptor too.
    left = [int(each) for each in opened if Path(f"/proc/self/fd/{each}").exists()]
    assert left
    assert not any(os.get_inheritable(each) for each in left)
    uring.close()
    uring.close()
    assert descriptors() == before


# A kernel that has none, or none that is of use.


def refused(number: int) -> Callable[..., int]:
    def syscall(*_: object) -> int:
        ctypes.set_errno(number)
        return -1

    return syscall


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.ENOSYS, "io_uring_setup: Function not implemented"),
        (errno.EPERM, "io_uring_setup: Operation not permitted"),
        (errno.EINVAL, "io_uring_setup: Invalid argument"),
    ],
)
def test_a_kernel_that_refuses_is_told_of_in_its_own_words(number: int, why: str) -> None:
    with pytest.raises(UringUnavailable, match=why):
        open_uring(8, refused(number))


@pytest.mark.parametrize("slots", [0, MOST_SLOTS + 1])
def test_no_more_slots_are_asked_for_than_a_kernel_has(slots: int) -> None:
    with pytest.raises(UringUnavailable, match=f"{slots} requests"):
        open_uring(slots, refused(errno.ENOSYS))


def test_one_whose_memory_cannot_be_had_is_closed() -> None:
    before = descriptors()

    def setup(_number: int, entries: int, parameters: ctypes.Array[ctypes.c_char]) -> int:
        struct.pack_into("=II 12x I", parameters, 0, entries, 2 * entries, 1)
        return os.open("/dev/null", os.O_RDWR)

    with pytest.raises(UringUnavailable, match="memory of an io_uring"):
        open_uring(8, setup)
    assert descriptors() == before


def test_one_in_two_pieces_is_not_used() -> None:
    before = descriptors()
    with pytest.raises(UringUnavailable, match="two pieces"):
        open_uring(8, Kernel(features=0).syscall)
    assert descriptors() == before


# A kernel that does what a real one does seldom.

ENTRIES = 8
SLOTS_AT = 0x10000000
QUEUE_AT, RESULTS_AT = 64, 128


class Kernel:
    """The kernel's side of an io_uring in a file in memory: a request's result is its ``len``.

    ``begin`` is how far both queues have been counted.
    """

    def __init__(self, *, begin: int = 0, features: int = 1) -> None:
        self._begin = begin
        self._features = features
        self._late: list[int] = []
        self.most = ENTRIES
        """How many requests it takes at once."""
        self.is_late = False
        """Whether what is asked for ends only when it is waited for."""
        self.refusal = 0
        """With which ``errno`` it takes nothing."""
        self.done: list[int] = []
        """The slots that were asked for."""

    def syscall(self, number: int, *arguments: object) -> int:
        if number == 425:
            _, parameters = arguments
            assert isinstance(parameters, ctypes.Array)
            return self._setup(parameters)
        assert number == 426
        _, count, wait_for, *_ = arguments
        assert isinstance(count, int)
        if self.refusal:
            ctypes.set_errno(self.refusal)
            return -1
        return self._enter(count, wait=bool(wait_for))

    def _setup(self, parameters: ctypes.Array[ctypes.c_char]) -> int:
        offsets = struct.pack("=7I12x", 0, 4, 8, 12, 16, 20, QUEUE_AT)
        offsets += struct.pack("=6I16x", 24, 28, 32, 36, 40, RESULTS_AT)
        struct.pack_into("=II 12x I", parameters, 0, ENTRIES, 2 * ENTRIES, self._features)
        struct.pack_into("=80s", parameters, 40, offsets)
        descriptor = os.memfd_create("io_uring")
        os.truncate(descriptor, SLOTS_AT + ENTRIES * 64)
        self._queues = mmap.mmap(descriptor, RESULTS_AT + 2 * ENTRIES * 16)
        self._slots = mmap.mmap(descriptor, ENTRIES * 64, offset=SLOTS_AT)
        for at in (0, 4, 24, 28):
            self._put(at, self._begin)
        return descriptor

    def _word(self, at: int) -> int:
        found: int = struct.unpack_from("=I", self._queues, at)[0]
        return found

    def _put(self, at: int, value: int) -> None:
        struct.pack_into("=I", self._queues, at, value & 0xFFFFFFFF)

    def _enter(self, count: int, *, wait: bool) -> int:
        head = self._word(0)
        count = min(count, self._word(4) - head & 0xFFFFFFFF, self.most)
        for place in range(head, head + count):
            self._late.append(self._word(QUEUE_AT + place % ENTRIES * 4))
        self._put(0, head + count)
        if wait or not self.is_late:
            # Nothing says that the order is the same.
            for slot in reversed(self._late):
                self._end(slot)
            self._late.clear()
        return count

    def _end(self, slot: int) -> None:
        self.done.append(slot)
        length, _, user_data = struct.unpack_from("=IIQ", self._slots, slot * 64 + 24)
        tail = self._word(28)
        at = RESULTS_AT + tail % (2 * ENTRIES) * 16
        struct.pack_into("=QiI", self._queues, at, user_data, length, 0)
        self._put(28, tail + 1)


def on(kernel: Kernel) -> closing[Uring]:
    """An io_uring of a kernel, with as many octets to send in each slot as its number, and 100."""
    uring = open_uring(ENTRIES, kernel.syscall)
    for slot in range(ENTRIES):
        uring.prepare_sends(np.array([slot], np.uint32), [0], nowhere(), 100 + slot)
    return closing(uring)


def numbered(*slots: int) -> Slots:
    return np.array(slots, np.uint32)


def test_results_find_their_slots_in_whatever_order_they_come() -> None:
    with on(Kernel()) as uring:
        for slots in ([3, 1, 2], [7, 6, 5, 4, 3, 2, 1, 0], [5], [0, 7]):
            assert uring.run(numbered(*slots)).tolist() == [100 + slot for slot in slots]


@pytest.mark.parametrize("before_the_end", range(6))
def test_the_counters_of_the_queues_start_again_at_zero(before_the_end: int) -> None:
    with on(Kernel(begin=2**32 - before_the_end)) as uring:
        for _ in range(4):
            assert uring.run(numbered(2, 1, 4)).tolist() == [102, 101, 104]


def test_what_ends_late_is_waited_for() -> None:
    kernel = Kernel()
    kernel.is_late = True
    with on(kernel) as uring:
        for _ in range(3):
            assert uring.run(numbered(1, 2, 3)).tolist() == [101, 102, 103]


def test_what_was_not_taken_is_refused_and_not_done_later() -> None:
    kernel = Kernel()
    with on(kernel) as uring:
        kernel.most = 2
        again = -errno.EAGAIN
        assert uring.run(numbered(4, 5, 6, 7)).tolist() == [104, 105, again, again]
        kernel.most, kernel.done = ENTRIES, []
        assert uring.run(numbered(1, 2)).tolist() == [101, 102]
        assert sorted(kernel.done) == [1, 2]


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ENOMEM])
def test_a_kernel_without_memory_is_asked_anew_next_time(number: int) -> None:
    kernel = Kernel()
    with on(kernel) as uring:
        kernel.refusal = number
        assert uring.run(numbered(1, 2)).tolist() == [-errno.EAGAIN] * 2
        kernel.refusal = 0
        assert uring.run(numbered(3)).tolist() == [103]
        assert kernel.done == [3]


def test_a_kernel_that_serves_no_longer_says_so() -> None:
    kernel = Kernel()
    with on(kernel) as uring:
        kernel.refusal = errno.EPERM
        with pytest.raises(PermissionError):
            uring.run(numbered(1, 2))
        kernel.refusal = 0
        assert uring.run(numbered(3)).tolist() == [103]
        assert kernel.done == [3]


def test_what_an_interrupted_run_left_is_passed_over() -> None:
    kernel = Kernel()

    def interrupted(*arguments: object) -> int:
        answer = kernel.syscall(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt(answer)

    with on(kernel) as uring:
        uring._syscall = interrupted
        with pytest.raises(KeyboardInterrupt):
            uring.run(numbered(1, 2, 3))
        uring._syscall = kernel.syscall
        assert uring.run(numbered(4, 5)).tolist() == [104, 105]
