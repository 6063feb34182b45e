"""Forbids a process, on Linux, to reach the network or other processes (seccomp, by ctypes).

The calls give EPERM. Sources: seccomp(2), linux/filter.h, linux/audit.h, and the tables of system
calls of x86-64 and of the others (asm-generic/unistd.h).
"""

import ctypes
import os
import platform
import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

_PR_SET_NO_NEW_PRIVS: Final = 38
_SET_MODE_FILTER, _SPEC_ALLOW = 1, 4  # the flag leaves out a mitigation that slows every call
_ALLOW, _EPERM, _ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_X32_BIT: Final = 0x40000000  # a second numbering of x86-64
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data, little-endian
_CLONE3, _CLONE_THREAD = 435, 0x10000


class _Machine(NamedTuple):
    """An architecture's number, those of seccomp(2) and clone(2), and of the forbidden calls."""

    audit: int
    seccomp: int
    clone: int
    forbidden: Mapping[str, int]


_X86: Final = {
    "socket": 41, "connect": 42, "socketpair": 53, "fork": 57, "vfork": 58, "execve": 59,
    "kill": 62, "ptrace": 101, "tkill": 200, "unshare": 272, "execveat": 322, "bpf": 321,
    "process_vm_readv": 310, "process_vm_writev": 311, "setns": 308, "mount": 165, "bind": 49,
    "keyctl": 250, "perf_event_open": 298, "userfaultfd": 323, "listen": 50,
}  # fmt: skip
_GENERIC: Final = {
    "socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "connect": 203, "execve": 221,
    "kill": 129, "ptrace": 117, "tkill": 130, "unshare": 97, "execveat": 281, "bpf": 280,
    "process_vm_readv": 270, "process_vm_writev": 271, "setns": 268, "mount": 40, "keyctl": 219,
    "perf_event_open": 241, "userfaultfd": 282,
}  # fmt: skip
# the same everywhere; io_uring opens sockets without a call of its own
_EVERYWHERE: Final = {
    "io_uring_setup": 425, "pidfd_send_signal": 424, "pidfd_getfd": 438, "pidfd_open": 434,
}  # fmt: skip
_MACHINES: Final = {
    "x86_64": _Machine(0xC000003E, 317, 56, _X86 | _EVERYWHERE),
    "aarch64": _Machine(0xC00000B7, 277, 220, _GENERIC | _EVERYWHERE),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def forbid_network_and_processes() -> bool:
    """Forbids it to this process for good; threads still start. False where that is impossible."""
    machine = _MACHINES.get(platform.machine()) if os.uname().sysname == "Linux" else None
    if machine is None:
        return False
    code = ctypes.create_string_buffer(_filter(machine))
    program = _Program(len(code.raw) // 8, ctypes.cast(code, ctypes.c_void_p))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    number = ctypes.c_long(machine.seccomp)
    done = library.syscall(number, _SET_MODE_FILTER, _SPEC_ALLOW, ctypes.byref(program))
    return bool(done == 0)


def _filter(machine: _Machine) -> bytes:
    """The BPF program: another numbering of calls ends the process, forbidden calls give EPERM.

    `clone` is allowed for threads alone, and `clone3`, whose arguments a filter cannot see, does
    not exist: the C library then takes `clone`.
    """
    numbers = sorted(machine.forbidden.values())
    last = len(numbers) + 5  # where EPERM is, counted from the comparison with clone3
    steps: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_GREATER, last, 0, _X32_BIT),
        (_JUMP_EQUAL, last, 0, _CLONE3),
        *((_JUMP_EQUAL, last - at - 1, 0, number) for at, number in enumerate(numbers, 1)),
        (_JUMP_EQUAL, 0, 2, machine.clone),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_ANY_BIT, 0, 1, _CLONE_THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _EPERM),
        (_RETURN, 0, 0, _ENOSYS),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
