"""The toy diarizer, which replaces the light diarizer if its weights are not installed.

Speech regions, windows, a small ONNX embedding, clustering. The embedding separates synthetic
voices almost perfectly and real ones hardly at all (demo/models/README.md), so results name the
toy.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..common.audio import Samples, as_float, span
from ..contract import SpeakerEmbedding, Speakers, SpeechRegion, Turn
from .agglomerative_clustering import Windows, speaker_of_each
from .base import TOY, Check, Diarization
from .log_mel import N_MELS, log_mel, normalise

WINDOW_MS = 1_200  # the window length of the embedding's training
STEP_MS = 300
LEAST_SPEAKER_SECONDS = 1.0
_GRID_MS = 50  # a turn begins and ends on this grid
_JOIN_MS = 300  # a shorter pause of the same speaker does not end a turn
_BATCH = 64
_LEAST_FRAMES = 8

Span = tuple[int, int, float]  # start ms, end ms, represented seconds of speech


class ToyDiarizer:
    """Clusters windows of 1.2 s every 0.3 s, which never cross a pause, by voice."""

    revision = ""

    def __init__(self, model: Path) -> None:
        import onnxruntime  # noqa: PLC0415  # 0.1 s that a job without diarization need not pay

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )

    def diarize(
        self,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        speakers: Speakers,
        check: Check,
    ) -> Diarization:
        """See `Diarizer.diarize`. Overlapping speech is assigned to one speaker."""
        spans = [_spans(region) for region in regions if region.end_ms > region.start_ms]
        if not spans:
            return Diarization(by=TOY)
        flat = [one for of_region in spans for one in of_region]
        start, end, share = np.array(flat).T
        windows = Windows(self._embed(samples, spans, check), (end - start) / 1000, share)
        labels = speaker_of_each(windows, speakers, LEAST_SPEAKER_SECONDS)
        pieces = _pieces(spans, labels)
        order = {label: i for i, label in enumerate(dict.fromkeys(p[2] for p in pieces))}
        turns = tuple(
            Turn(start_ms=low, end_ms=high, speaker=f"SPEAKER_{order[label]:02d}")
            for low, high, label in pieces
        )
        return Diarization(turns, embeddings=_voices(windows.vectors, labels, order), by=TOY)

    def _embed(
        self, samples: Samples, spans: list[list[Span]], check: Check
    ) -> npt.NDArray[np.float32]:
        vectors = []
        windows: list[npt.NDArray[np.float32]] = []
        for i, of_region in enumerate(spans):
            windows += _mel_windows(samples, of_region)
            if len(windows) >= _BATCH or i == len(spans) - 1:
                vectors.append(self._session.run(None, {"mel": normalise(np.stack(windows))})[0])
                windows = []
                check()
        joined = np.concatenate(vectors)
        return joined / np.linalg.norm(joined, axis=1, keepdims=True)


def _voices(
    vectors: npt.NDArray[np.float32], labels: npt.NDArray[np.intp], order: dict[int, int]
) -> tuple[SpeakerEmbedding, ...]:
    """The mean direction of each speaker's windows, as a unit vector."""
    means = {label: vectors[labels == label].mean(0) for label in order}
    return tuple(
        SpeakerEmbedding(
            speaker=f"SPEAKER_{order[label]:02d}",
            vector=tuple(round(float(x), 5) for x in mean / np.linalg.norm(mean)),
        )
        for label, mean in means.items()
    )


def _spans(region: SpeechRegion) -> list[Span]:
    """Windows over one region; a short region has one short window."""
    low, high = region.start_ms, region.end_ms
    last = max(low + 1, high - WINDOW_MS + STEP_MS // 2)
    starts = range(low, last, STEP_MS) if high - low > WINDOW_MS else (low,)
    share = (high - low) / 1000 / len(starts)
    return [(start, min(start + WINDOW_MS, high), share) for start in starts]


def _mel_windows(samples: Samples, spans: list[Span]) -> list[npt.NDArray[np.float32]]:
    """Log-mel windows (N_MELS, frames) of one region; a short one is repeated to full length."""
    low, high = spans[0][0], spans[-1][1]
    mel = log_mel(as_float(span(samples, low, high)))
    frames = WINDOW_MS // 10
    cuts = (
        mel[:, (a - low) // 10 : max((a - low) // 10 + _LEAST_FRAMES, (b - low) // 10)]
        for a, b, _ in spans
    )
    return [np.resize(cut.T, (frames, N_MELS)).T for cut in cuts]


def _pieces(spans: list[list[Span]], labels: npt.NDArray[np.intp]) -> list[tuple[int, int, int]]:
    """Start, end and label: every 50 ms takes the label of the nearest window of its region."""
    pieces: list[tuple[int, int, int]] = []
    first = 0
    for of_region in spans:
        own = labels[first : first + len(of_region)]
        first += len(of_region)
        for low, high, label in _runs(of_region, own):
            joins = pieces and pieces[-1][2] == label and low - pieces[-1][1] < _JOIN_MS
            if joins:
                low = pieces.pop()[0]  # noqa: PLW2901  # the turn goes on
            pieces.append((low, high, label))
    return pieces


def _runs(spans: list[Span], labels: npt.NDArray[np.intp]) -> Iterator[tuple[int, int, int]]:
    low, high = spans[0][0], spans[-1][1]
    grid = np.arange(low, high, _GRID_MS)
    centres = np.array([(a + b) / 2 for a, b, _ in spans])
    nearest = np.searchsorted((centres[:-1] + centres[1:]) / 2, grid + _GRID_MS / 2)
    of_grid = labels[nearest]
    changes = np.flatnonzero(np.diff(of_grid)) + 1
    edges = [0, *changes.tolist(), len(grid)]
    for a, b in itertools.pairwise(edges):
        yield int(grid[a]), min(int(grid[b - 1]) + _GRID_MS, high), int(of_grid[a])
