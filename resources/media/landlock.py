"""Leaves a process, on Linux, a single folder of all files (Landlock, by ctypes).

Files that are open already stay readable. Source: linux/landlock.h; kernel 5.13 and later, where
Landlock is switched on. The calls have the same numbers on every architecture.
"""

import ctypes
import os
import struct
from pathlib import Path
from typing import Final

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION: Final = 1  # flag of landlock_create_ruleset: tells the version instead
_PATH_BENEATH: Final = 1
# What a rule can allow: bits of LANDLOCK_ACCESS_FS by the version that knows them.
_KNOWN: Final = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_WRITE, _READ, _LIST, _REMOVE_FOLDER, _REMOVE = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
_MAKE_FOLDER, _MAKE_FILE, _RENAME, _TRUNCATE = 1 << 7, 1 << 8, 1 << 13, 1 << 14
_FOLDER: Final = (
    _WRITE | _READ | _LIST | _REMOVE_FOLDER | _REMOVE | _MAKE_FOLDER | _MAKE_FILE | _RENAME
    | _TRUNCATE
)  # fmt: skip
_TCP_FROM, _TCP = 4, 0b11  # bind and connect
_SCOPES_FROM, _SCOPES = 6, 0b11  # abstract sockets, and signals to others


def leave_only(folder: Path) -> bool:
    """Leaves this process nothing but that folder, for good. False where that is impossible.

    In the folder it may make, read, rename and remove plain files and folders, but no links.
    """
    if os.uname().sysname != "Linux":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    version = _call(library, _CREATE, None, 0, _VERSION)
    if version < 1:
        return False
    known = sum(bits for since, bits in _KNOWN.items() if version >= since)
    tcp = _TCP if version >= _TCP_FROM else 0
    scopes = _SCOPES if version >= _SCOPES_FROM else 0
    attributes = struct.pack("=QQQ", known, tcp, scopes)
    length = 24 if scopes else 16 if tcp else 8  # older kernels refuse what they do not know
    rules = _call(library, _CREATE, attributes, length, 0)
    if rules < 0:
        return False
    try:
        return _restrict(library, rules, folder, _FOLDER & known)
    finally:
        os.close(rules)


def _restrict(library: ctypes.CDLL, rules: int, folder: Path, allowed: int) -> bool:
    parent = os.open(folder, os.O_PATH | os.O_CLOEXEC)  # type: ignore[attr-defined,unused-ignore]
    try:
        rule = struct.pack("=Qi", allowed, parent)
        if _call(library, _ADD_RULE, rules, _PATH_BENEATH, rule, 0) < 0:
            return False
    finally:
        os.close(parent)
    return _call(library, _RESTRICT, rules, 0) == 0


def _call(library: ctypes.CDLL, number: int, *arguments: int | bytes | None) -> int:
    return int(library.syscall(ctypes.c_long(number), *arguments))
