"""Many sends and receives of UDP sockets in one system call: Linux's io_uring.

A system call for each packet is most of what a tick costs in Python. An io_uring is two queues in
memory that a program and the kernel share: of requests, and of what became of them
(io_uring(7); the numbers and layouts here are those of the kernel's include/uapi/linux/io_uring.h).
What is asked for does not change from tick to tick, so a request is written once, into a slot of
its own, and :meth:`Uring.run` only tells the numbers of the slots.

Nothing is under way between two calls. Each request has MSG_DONTWAIT: the kernel does it at once or
refuses it with EAGAIN, and never puts it aside (REQ_F_NOWAIT, io_uring/net.c). So all have ended
when a call returns, and their memory is ours again.

Not every system has it. What is used here came with Linux 5.18; containers mostly forbid it, and
an administrator may (sysctl kernel.io_uring_disabled).
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_SLOTS", "Slots", "Syscall", "Uring", "UringUnavailable", "open_uring"]

MOST_SLOTS: Final = 32768
"""IORING_MAX_ENTRIES."""

Slots: TypeAlias = NDArray[np.uint32]
"""The numbers of slots."""
Addresses: TypeAlias = NDArray[np.uint64]
"""Where octets lie in memory."""
Places: TypeAlias = NDArray[np.int64]
Syscall: TypeAlias = Callable[..., int]
"""syscall(2): -1 means that ``errno`` tells more, as ctypes keeps it."""

_SETUP, _ENTER = 425, 426
"""The same numbers on every architecture but Alpha."""
_PARAMETERS = struct.Struct("=II I 8x I 16x 40s 40s")
"""``struct io_uring_params``: entries of both queues, flags, features, and where the
parts of the queues lie."""
_SUBMIT_ALL = 1 << 7
"""IORING_SETUP_SUBMIT_ALL (5.18): a request that is refused does not keep back those behind it."""
_SINGLE_MMAP = 1 << 0
"""IORING_FEAT_SINGLE_MMAP: both queues are one piece of memory."""
_SLOTS_AT = 0x10000000
"""IORING_OFF_SQES."""
_GET_EVENTS = 1 << 0
"""IORING_ENTER_GETEVENTS."""
_SEND, _RECEIVE = 26, 27
"""IORING_OP_SEND and IORING_OP_RECV."""
_MSG_DONTWAIT = 0x40
_REQUEST = np.dtype(
    {
        "names": ["opcode", "fd", "addr", "len", "msg_flags", "user_data"],
        "formats": [np.uint8, np.int32, np.uint64, np.uint32, np.uint32, np.uint64],
        "offsets": [0, 4, 16, 24, 28, 32],
        "itemsize": 64,
    }
)
"""What is used of a ``struct io_uring_sqe``."""
_RESULT = np.dtype([("user_data", np.uint64), ("res", np.int32), ("flags", np.uint32)])
"""A ``struct io_uring_cqe``."""
_WORD = 4
_MASK32 = 0xFFFFFFFF
_PASSING = frozenset({errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ENOMEM})
"""What may be over by the next call."""
_LIBC = ctypes.CDLL(None, use_errno=True)


class UringUnavailable(Exception):
    """The system has no io_uring for us; the text says why."""


def open_uring(slots: int, syscall: Syscall = _LIBC.syscall) -> Uring:
    """Open an io_uring with so many slots. Raises :class:`UringUnavailable`."""
    if not 0 < slots <= MOST_SLOTS:
        raise UringUnavailable(f"{slots} requests: an io_uring has at most {MOST_SLOTS}")
    told = ctypes.create_string_buffer(
        _PARAMETERS.pack(0, 0, _SUBMIT_ALL, 0, b"", b""), _PARAMETERS.size
    )
    descriptor = syscall(_SETUP, slots, told)
    if descriptor < 0:
        raise UringUnavailable(f"io_uring_setup: {os.strerror(ctypes.get_errno())}")
    try:
        return Uring(descriptor, told.raw, syscall)
    except (OSError, ValueError) as error:
        os.close(descriptor)
        raise UringUnavailable(f"the memory of an io_uring: {error}") from error


class Uring:
    """An io_uring. Made by :func:`open_uring`; not for two threads at a time."""

    def __init__(self, descriptor: int, parameters: bytes, syscall: Syscall) -> None:
        asked, answered, _, features, of_requests, of_results = _PARAMETERS.unpack(parameters)
        if not features & _SINGLE_MMAP:
            raise ValueError("it is in two pieces")
        # Both: head, tail, mask, entries, two counters or flags, array or the results themselves.
        sq_head, sq_tail, *_, queue_at = struct.unpack_from("=7I", of_requests)
        cq_head, cq_tail, *_, results_at = struct.unpack_from("=2I 12x I", of_results)
        size = max(queue_at + asked * _WORD, results_at + answered * _RESULT.itemsize)
        self._memory = [
            mmap.mmap(descriptor, size),
            mmap.mmap(descriptor, asked * _REQUEST.itemsize, offset=_SLOTS_AT),
        ]
        queues, slots = self._memory
        self._descriptor = descriptor
        self._syscall = syscall
        self._words = memoryview(queues)[: size // _WORD * _WORD].cast("I")
        self._sq_head, self._sq_tail = sq_head // _WORD, sq_tail // _WORD
        self._cq_head, self._cq_tail = cq_head // _WORD, cq_tail // _WORD
        self._requests = np.frombuffer(slots, _REQUEST, asked)
        self._requests["user_data"] = np.arange(asked)
        self._asked = np.frombuffer(queues, np.uint32, asked, queue_at)
        """The queue of requests: the numbers of their slots."""
        results = np.frombuffer(queues, _RESULT, answered, results_at)
        self._ended, self._outcomes = results["user_data"], results["res"]
        """The queue of results: slots, and what became of their requests."""
        self._found = np.zeros(asked, np.int32)
        """What became of the last request of each slot."""
        # The queues are circles: the places that follow each other, from any place on.
        self._places_to_ask: Places = np.arange(2 * asked) % asked
        self._places_to_look: Places = np.arange(2 * answered) % answered

    def prepare_sends(
        self, slots: Slots, descriptors: list[int], addresses: Addresses, octets: int
    ) -> None:
        """Let each of ``slots`` send the ``octets`` that lie at an address to a socket's peer."""
        self._prepare(_SEND, slots, descriptors, addresses, octets)

    def prepare_receives(
        self, slots: Slots, descriptors: list[int], addresses: Addresses, octets: int
    ) -> None:
        """Let each of ``slots`` receive up to ``octets`` of a datagram to an address."""
        self._prepare(_RECEIVE, slots, descriptors, addresses, octets)

    def _prepare(
        self, opcode: int, slots: Slots, descriptors: list[int], addresses: Addresses, octets: int
    ) -> None:
        requests = self._requests
        requests["opcode"][slots] = opcode
        requests["fd"][slots] = descriptors
        requests["addr"][slots] = addresses
        requests["len"][slots] = octets
        requests["msg_flags"][slots] = _MSG_DONTWAIT

    def run(self, slots: Slots) -> NDArray[np.int32]:
        """Do what ``slots`` say, each of them once, in this order.

        Answers for each how many octets were sent or received, or a negative ``errno``; that is
        EAGAIN where the kernel lacked memory to begin. Raises OSError when the kernel does not take
        requests any more.
        """
        words, count = self._words, len(slots)
        # Whatever was left when the last run was interrupted is passed over.
        tail = words[self._sq_head]
        words[self._cq_head] = seen = words[self._cq_tail]
        first = tail % len(self._asked)
        self._asked[self._places_to_ask[first : first + count]] = slots
        words[self._sq_tail] = tail + count & _MASK32
        taken = self._enter(count)
        if taken < count:
            self._found[slots] = -errno.EAGAIN
        # All have ended already; were one still under way, its memory would not be ours.
        while words[self._cq_tail] - seen & _MASK32 < taken:
            self._enter(0, wait_for=taken)
        first = seen % len(self._ended)
        places = self._places_to_look[first : first + taken]
        self._found[self._ended[places]] = self._outcomes[places]
        return self._found[slots]

    def _enter(self, count: int, *, wait_for: int = 0) -> int:
        """Let the kernel take ``count`` requests; how many it took."""
        flags = _GET_EVENTS if wait_for else 0
        taken = self._syscall(_ENTER, self._descriptor, count, wait_for, flags, None, 0)
        if taken >= 0:
            return taken
        number = ctypes.get_errno()
        if number in _PASSING:
            return 0
        raise OSError(number, os.strerror(number))

    def close(self) -> None:
        """Give it back; it is not used any more."""
        if self._memory:
            self._words.release()
            # A piece of memory can only be closed when no array looks at it.
            del self._requests, self._asked, self._ended, self._outcomes
            for each in self._memory:
                each.close()
            self._memory = []
            os.close(self._descriptor)
