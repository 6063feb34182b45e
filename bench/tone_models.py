"""Models of pyannote.audio that hear the voices of bench/tones.py, made without training.

They take the place of weights that the hub gives only to who accepted their terms: real models
of pyannote in every call and shape (10 s windows, powerset of three speakers, weighted pooling),
stored and loaded as pyannote does it, of which the work within is a spectrum.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from pyannote.audio import Model, __version__
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.blocks.pooling import StatsPool
from pyannote.audio.models.embedding import WeSpeakerResNet34
from torch.nn.functional import log_softmax, one_hot

from bench.tones import PITCHES_HZ, RATE_HZ

SECONDS = 10.0
DIMENSION = 32
_FFT, _HOP = 512, 270  # as many frames as pyannote's own segmentation has, nearly
_LOUD = 5.0
_SETS = ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2))  # the classes of the powerset, in order
_REPRESENTATION = Specifications(
    problem=Problem.REPRESENTATION,
    resolution=Resolution.CHUNK,
    duration=SECONDS,
    classes=["a", "b"],
)
_NO_PAUSE_JOINED = {"min_duration_off": 0.0}
THRESHOLDS = {  # of the two pipelines on the hub
    "community-1": {
        "clustering": {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8},
        "segmentation": _NO_PAUSE_JOINED,
    },
    "3.1": {
        "clustering": {
            "method": "centroid",
            "min_cluster_size": 12,
            "threshold": 0.7045654963945799,
        },
        "segmentation": _NO_PAUSE_JOINED,
    },
}


class _Spectral(Model):  # type: ignore[misc]
    """What both have in common: frames of a spectrum."""

    def num_frames(self, num_samples: int) -> int:
        return 1 + (num_samples - _FFT) // _HOP

    def receptive_field_size(self, num_frames: int = 1) -> int:
        return _FFT + (num_frames - 1) * _HOP

    def receptive_field_center(self, frame: int = 0) -> int:
        return _FFT // 2 + frame * _HOP

    def power(self, waveforms: torch.Tensor) -> torch.Tensor:
        """The power at each voice's pitch, (batch, frames, voices)."""
        window = torch.hann_window(_FFT, device=waveforms.device)
        spectrum = torch.stft(
            waveforms[:, 0], _FFT, _HOP, window=window, center=False, return_complex=True
        )
        bins = [round(pitch * _FFT / RATE_HZ) for pitch in PITCHES_HZ]
        return spectrum[:, bins].abs().square().transpose(1, 2)


class ToneSegmentation(_Spectral):
    """Up to three voices of a window, in the order of their pitch; at most two simultaneously."""

    def __init__(
        self, sample_rate: int = RATE_HZ, num_channels: int = 1, task: object = None
    ) -> None:
        super().__init__(sample_rate=sample_rate, num_channels=num_channels, task=task)
        self.save_hyperparameters("sample_rate", "num_channels")
        self.specifications = Specifications(
            problem=Problem.MONO_LABEL_CLASSIFICATION,
            resolution=Resolution.FRAME,
            duration=SECONDS,
            classes=["1", "2", "3"],
            powerset_max_classes=2,
            permutation_invariant=True,
        )
        table = torch.zeros(2, 2, 2, dtype=torch.long)
        for i, each in enumerate(_SETS):
            table[tuple(int(k in each) for k in range(3))] = i
        table[1, 1, 1] = _SETS.index((0, 1))
        self.register_buffer("table", table, persistent=False)

    @property
    def dimension(self) -> int:
        """Classes of the powerset."""
        return len(_SETS)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Logarithms of the classes' probabilities, (batch, frames, classes)."""
        active = self.power(waveforms) > _LOUD
        most = active.sum(1).topk(3, dim=1).indices.sort(1).values
        three = active.gather(2, most[:, None].expand(-1, active.shape[1], -1)).long()
        classes = self.table[three[..., 0], three[..., 1], three[..., 2]]
        return log_softmax(20.0 * one_hot(classes, len(_SETS)).float(), dim=-1)


class ToneEmbedding(_Spectral):
    """How loud each pitch is, pooled over where its speaker is active, and turned at random."""

    def __init__(
        self, sample_rate: int = RATE_HZ, num_channels: int = 1, task: object = None
    ) -> None:
        super().__init__(sample_rate=sample_rate, num_channels=num_channels, task=task)
        self.save_hyperparameters("sample_rate", "num_channels")
        self.specifications = _REPRESENTATION
        self.pool = StatsPool()
        self.turn = torch.nn.Linear(2 * len(PITCHES_HZ), DIMENSION)

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return DIMENSION

    def forward(self, waveforms: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Vectors (batch, dimension), or one for each row of `weights`, if they have rows."""
        loud = torch.log1p(self.power(waveforms)).transpose(1, 2)
        return self.turn(self.pool(loud, weights=weights))


def write_pipeline(
    folder: Path,
    kind: str,
    segmentation: Model | None = None,
    embedding: Model | None = None,
) -> Path:
    """A pipeline's folder such as the hub has, of the kind 'community-1' or '3.1'.

    'resnet34' is community-1 with the network that pyannote itself embeds with, its weights left
    to chance: it costs what the real one costs, and its vectors mean nothing.
    """
    torch.manual_seed(0)
    if embedding is None:
        embedding = WeSpeakerResNet34() if kind == "resnet34" else ToneEmbedding()
    embedding.specifications = _REPRESENTATION
    _save(segmentation or ToneSegmentation(), folder / "segmentation")
    _save(embedding, folder / "embedding")
    params: dict[str, Any] = {
        "segmentation": "$model/segmentation",
        "segmentation_batch_size": 32,
        "embedding": "$model/embedding",
        "embedding_batch_size": 32,
        "embedding_exclude_overlap": True,
        "clustering": "AgglomerativeClustering" if kind == "3.1" else "VBxClustering",
    }
    if kind != "3.1":
        params["plda"] = "$model/plda"
        write_plda(folder / "plda", embedding.dimension, within=0.1)
    config = {
        "dependencies": {"pyannote.audio": "4.0.0"},
        "pipeline": {"name": "pyannote.audio.pipelines.SpeakerDiarization", "params": params},
        "params": THRESHOLDS["3.1" if kind == "3.1" else "community-1"],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder


def write_plda(folder: Path, dimension: int, within: float) -> None:
    """A PLDA of directions that are all alike.

    Args:
        folder: Where it is written.
        dimension: Of the vectors.
        within: The share of their variance that is found within one voice; the rest is among them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    still, each = np.zeros(dimension), np.eye(dimension)
    np.savez(folder / "xvec_transform.npz", mean1=still, mean2=still, lda=each)
    among = np.full(dimension, (1 - within) / within)
    np.savez(folder / "plda.npz", mu=still, tr=each / within**0.5, psi=among)


def _save(model: Model, folder: Path) -> None:
    import lightning  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    kind = type(model)
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": lightning.__version__,
        "epoch": 0,
        "global_step": 0,
        "pyannote.audio": {
            "versions": {"torch": str(torch.__version__), "pyannote.audio": __version__},
            "architecture": {"module": kind.__module__, "class": kind.__name__},
            "specifications": model.specifications,
        },
    }
    torch.save(checkpoint, folder / "pytorch_model.bin")
