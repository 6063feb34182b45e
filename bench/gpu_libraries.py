"""CTranslate2 asks the loader for libcublas.so.12: where it is, or what may stand in for it."""

import ctypes
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

WANTED = "libcublas.so.12"
_NEXT = "libcublas.so.13"
_SYSTEM = (Path("/usr/local/cuda/lib64"), Path("/usr/lib/x86_64-linux-gnu"))


def with_cublas(folder: Path, environment: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """An environment in which it is found, and in words what it is.

    Where there is CUDA 13 alone, its library is given the older name in `folder`: of the few
    functions that CTranslate2 looks up by name in it, none changed.
    """
    if _loads(WANTED):
        return dict(environment), WANTED
    for wanted in (WANTED, _NEXT):
        for place in _places():
            if (place / wanted).exists():
                link = folder / WANTED
                link.unlink(missing_ok=True)
                link.symlink_to(place / wanted)
                before = environment.get("LD_LIBRARY_PATH", "")
                paths = [str(folder), str(place), *filter(None, [before])]
                return {**environment, "LD_LIBRARY_PATH": os.pathsep.join(paths)}, wanted
    return dict(environment), "none"


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _places() -> list[Path]:
    """The folders of NVIDIA's wheels, then the system's."""
    found = find_spec("nvidia")
    wheels = [Path(each) for each in (found.submodule_search_locations or ())] if found else []
    return [lib for wheel in wheels for lib in sorted(wheel.glob("*/lib"))] + list(_SYSTEM)
