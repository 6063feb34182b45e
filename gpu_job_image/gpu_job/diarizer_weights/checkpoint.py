"""Reads the tensors of a torch checkpoint, without torch and without executing pickled code.

A checkpoint is a zip of `data.pkl` and one file of raw numbers for each storage. A pickle may call
anything it names; this reader allows three names, which rebuild tensors and dictionaries, and
rejects all others (torch's `weights_only=True` does the same with a longer list).
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Tensors = dict[str, npt.NDArray[Any]]

_KINDS = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_MOST_BYTES = 1 << 28  # far above either checkpoint; a zip may claim any size


class CheckpointError(Exception):
    """A file is not a checkpoint of plain tensors; the message says why."""


class _Storage(NamedTuple):
    kind: np.dtype[Any]
    data: bytes


def read_checkpoint(path: Path, below: str = "") -> Tensors:
    """Tensors by name, from the top-level dictionary or its entry `below`.

    Raises:
        CheckpointError: not a checkpoint, or one that contains more than tensors.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            content = _Reader(archive).load()
    except (zipfile.BadZipFile, KeyError, pickle.UnpicklingError, ValueError, OSError) as error:
        raise CheckpointError(f"{path.name} is not a checkpoint of tensors: {error}") from error
    found = content.get(below) if below and isinstance(content, dict) else content
    if not isinstance(found, dict) or not all(isinstance(v, np.ndarray) for v in found.values()):
        raise CheckpointError(
            f"{path.name} contains no tensors{f' in {below!r}' if below else ''}."
        )
    return dict(found)


class _Reader(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile) -> None:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise ValueError("it must contain exactly one data.pkl")
        self._archive, self._folder = archive, pickles[0].removesuffix("data.pkl")
        super().__init__(io.BytesIO(self._read("data.pkl")))

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  # as pickle has it
        """Resolve one of the three allowed names."""
        if module == "torch" and name in _KINDS:
            return _KINDS[name]
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        raise pickle.UnpicklingError(f"it requests {module}.{name}, which is not allowed")

    def persistent_load(self, pid: Any) -> _Storage:  # noqa: ANN401  # as pickle has it
        """A storage: ("storage", type, key, device, count)."""
        what, kind, key, _, count = pid
        if what != "storage" or not isinstance(kind, np.dtype) or not str(key).isalnum():
            raise pickle.UnpicklingError(f"{what!r} is not a storage")
        data = self._read(f"data/{key}")
        if len(data) != count * kind.itemsize:
            raise pickle.UnpicklingError(f"storage {key} has a different size than declared")
        return _Storage(kind, data)

    def _read(self, name: str) -> bytes:
        info = self._archive.getinfo(self._folder + name)
        if info.file_size > _MOST_BYTES:
            raise ValueError(f"{name} is larger than any tensor of these models")
        return self._archive.read(info)


def _tensor(
    storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> npt.NDArray[Any]:
    """The tensor that `torch._utils._rebuild_tensor_v2` builds, bounds-checked and copied."""
    flat = np.frombuffer(storage.data, storage.kind)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if offset < 0 or min((*stride, 0)) < 0 or (0 not in size and last >= len(flat)):
        raise pickle.UnpicklingError("a tensor extends beyond its storage")
    steps = tuple(step * flat.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(flat[offset:], size, steps).copy()
