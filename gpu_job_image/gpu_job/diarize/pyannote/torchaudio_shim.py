"""Imports torchaudio even if its compiled library does not load, as with another build of torch.

pyannote needs torchaudio's filter banks and resampling, which are plain torch; the compiled part
(forced alignment, decoders) is never called. With a CPU build of torch, importing torchaudio 2.11
raises OSError nevertheless, since its wheel was built for CUDA.
"""

import importlib.util
import sys
import types
from collections.abc import Callable
from typing import Any

_EXTENSION = "torchaudio._extension"


def import_torchaudio() -> None:
    """Import torchaudio, without its compiled library if that does not load."""
    try:
        importlib.import_module("torchaudio")
    except (ImportError, OSError):
        if importlib.util.find_spec("torchaudio") is None:
            raise
        sys.modules[_EXTENSION] = _no_extension()
        importlib.import_module("torchaudio")


def _no_extension() -> types.ModuleType:
    """A replacement for torchaudio's extension, as in a build without one."""
    module = types.ModuleType(_EXTENSION)
    answers: dict[str, Any] = {
        "_IS_TORCHAUDIO_EXT_AVAILABLE": False,
        "_IS_ALIGN_AVAILABLE": False,
        "_check_cuda_version": lambda: None,
        "fail_if_no_align": _unchanged,
    }
    vars(module).update(answers)
    return module


def _unchanged(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
