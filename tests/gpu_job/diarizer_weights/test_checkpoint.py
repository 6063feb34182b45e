import io
import os
import pickle
import sys
import types
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from gpu_job.diarizer_weights.checkpoint import CheckpointError, read_checkpoint


class Global:
    """Pickles as a name, as torch's storages do."""

    def __init__(self, module, name, *arguments):
        self.module, self.name, self.arguments = module, name, arguments


class Storage:
    def __init__(self, key, count, kind="FloatStorage"):
        self.key, self.count, self.kind = key, count, kind


class TorchLike(pickle.Pickler):
    """Writes what `torch.save` writes, without torch."""

    def persistent_id(self, thing):
        if not isinstance(thing, Storage):
            return None
        return ("storage", getattr(self.names, thing.kind), thing.key, "cpu", thing.count)

    def reducer_override(self, thing):
        if isinstance(thing, Global):
            return getattr(self.names, thing.name), thing.arguments
        return NotImplemented


def pickled(content):
    """Protocol 2, by hand for the two names that only torch has."""

    class Names:
        pass

    def made(name, module):
        made = type(name, (), {"__module__": module})
        made.__qualname__ = name
        return made

    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage = Names.FloatStorage = made("FloatStorage", "torch")
    utils._rebuild_tensor_v2 = Names._rebuild_tensor_v2 = made("_rebuild_tensor_v2", "torch._utils")
    before = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules |= {"torch": torch, "torch._utils": utils}
    try:
        out = io.BytesIO()
        pickler = TorchLike(out, protocol=2)
        pickler.names = Names
        pickler.dump(content)
        return out.getvalue()
    finally:
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module


def tensor(key, size, stride, offset=0, count=None):
    count = count or int(np.prod(size))
    rebuild = "_rebuild_tensor_v2"
    return Global(
        "torch._utils", rebuild, Storage(key, count), offset, size, stride, 0, OrderedDict()
    )


def checkpoint(path, content, **storages):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled(content))
        for key, values in storages.items():
            archive.writestr(f"archive/data/{key}", np.asarray(values, "<f4").tobytes())
    return path


def test_tensors_are_read_with_their_strides_and_offsets(tmp_path):
    content = OrderedDict(
        plain=tensor("a", (2, 3), (3, 1)),
        turned=tensor("a", (3, 2), (1, 3)),
        part=tensor("a", (2,), (1,), offset=4, count=6),
    )
    read = read_checkpoint(checkpoint(tmp_path / "x.pt", content, a=range(6)))

    assert read["plain"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert read["part"].tolist() == [4, 5]


def test_the_tensors_may_lie_one_level_down(tmp_path):
    content = {"state_dict": {"w": tensor("a", (2,), (1,))}, "model": {"layers": 4}}
    path = checkpoint(tmp_path / "x.pt", content, a=[1, 2])

    assert read_checkpoint(path, "state_dict")["w"].tolist() == [1, 2]
    with pytest.raises(CheckpointError, match="contains no tensors"):
        read_checkpoint(path)


class Evil:
    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_pickle_that_would_run_something_is_refused_and_runs_nothing(tmp_path):
    evil = Evil()
    evil.path = str(tmp_path / "made")
    path = checkpoint(tmp_path / "x.pt", {"w": evil})

    with pytest.raises(CheckpointError, match="which is not allowed"):
        read_checkpoint(path)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("size", "stride", "offset"), [((4,), (1,), 3), ((2, 3), (9, 1), 0), ((2,), (-1,), 1)]
)
def test_a_tensor_that_reaches_outside_its_storage_is_refused(tmp_path, size, stride, offset):
    content = {"w": tensor("a", size, stride, offset, count=6)}

    with pytest.raises(CheckpointError):
        read_checkpoint(checkpoint(tmp_path / "x.pt", content, a=range(6)))


def test_another_file_is_told_by_its_name(tmp_path):
    (tmp_path / "x.pt").write_bytes(b"no zip")

    with pytest.raises(CheckpointError, match=r"x\.pt is not a checkpoint"):
        read_checkpoint(tmp_path / "x.pt")
