"""Loading a Whisper, and what it needs of the machine."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from .. import hub
from ..card import Card
from ..contract import JobOptions
from ..errors import ModelMissingError, without_addresses
from ..settings import WorkerSettings
from .decoding import Decoder

CPU_BATCH = 8  # the sweet spot of two cores
MOST_WINDOWS = 64  # more gained nothing on any card of the benchmarks that were published
_FREE_SHARE = 0.8  # of the card's free memory; the rest is for fragments and for the diarizer
_PROBE_WINDOWS = 8
_PROBE_BEAM = 2  # as most jobs have it (BEAM_SIZE)
_SMALL_MODEL_BYTES = 50_000_000  # below it, one thread was twice as fast as two
_SECONDS = 30


def load_whisper(settings: WorkerSettings) -> Any:  # noqa: ANN401  # faster_whisper is imported here
    """The WhisperModel of the settings.

    Raises:
        ModelMissingError: with what was tried and what to do.
    """
    from faster_whisper import WhisperModel  # noqa: PLC0415  # 0.5 s and 460 MB of packages

    try:
        source = _source(settings)
        return WhisperModel(
            source,
            device=settings.device,
            compute_type=_compute_type(settings),
            cpu_threads=settings.threads or _threads_for(Path(source)),
            use_auth_token=settings.huggingface_token or None,
        )
    except Exception as error:
        raise ModelMissingError(_advice(settings.model, error)) from error


def origin_of(settings: WorkerSettings) -> str:
    """Which commit of which repository was loaded; empty for what came from elsewhere."""
    return hub.origin_of(Path(_source(settings)))


def _source(settings: WorkerSettings) -> str:
    """A folder that is here, or else fetched now; a hub name where nothing says where to.

    Raises:
        HubError: it cannot be fetched.
    """
    unpacked = settings.models / settings.model
    if unpacked.is_dir():
        return str(unpacked)
    if settings.fetched is None or Path(settings.model).is_dir():
        return settings.model
    found = hub.find(settings.model, settings.fetched)
    token = settings.huggingface_token or None
    return str(found or hub.fetch(settings.model, settings.fetched, token, lambda _: None))


def batch_for(model: Any, card: Card, wished: int) -> int:  # noqa: ANN401
    """Windows to decode at once: as wished, 8 on a CPU, or what the card's free memory holds.

    What a window takes differs by model, precision and card, so it is measured: how much more
    memory a batch of noise leaves allocated than one window did, which paid for the kernels too.
    Where that is too little, the first batch runs out of memory and is halved (`batches.py`).
    """
    if wished:
        return wished
    if not card.is_there or model.model.device == "cpu":
        return CPU_BATCH
    warm_up(model)
    before = card.memory()
    _decode_noise(model, _PROBE_WINDOWS)
    after = card.memory()
    each = max(1, (after.used - before.used) // (_PROBE_WINDOWS - 1))
    fits = int((after.free + after.used - before.used) * _FREE_SHARE) // each
    return max(1, min(MOST_WINDOWS, fits))


def warm_up(model: Any) -> None:  # noqa: ANN401
    """One window of noise: the first call on a card loads its kernels."""
    _decode_noise(model, 1)


def _decode_noise(model: Any, windows: int) -> None:  # noqa: ANN401
    rate = model.feature_extractor.sampling_rate
    noise = np.random.default_rng(0).normal(0, 0.01, rate * _SECONDS).astype(np.float32)
    decoder = Decoder(model, "en", JobOptions(model="", beam_size=_PROBE_BEAM))
    spectrograms = [decoder.spectrogram(noise)] * windows
    decoder.decode(spectrograms, [_SECONDS * 1000] * windows)


def _compute_type(settings: WorkerSettings) -> str:
    """float16 on a card and int8 on a CPU, unless something else is wished for."""
    if settings.compute_type != "auto":
        return settings.compute_type
    import ctranslate2  # noqa: PLC0415

    on_card = settings.device != "cpu" and ctranslate2.get_cuda_device_count() > 0
    return "float16" if on_card else "int8"


def _threads_for(folder: Path) -> int:
    weights = folder / "model.bin"
    small = weights.is_file() and weights.stat().st_size < _SMALL_MODEL_BYTES
    return 1 if small else os.cpu_count() or 1


def _advice(model: str, error: Exception) -> str:
    return (
        f"MODEL={model} could not be loaded ({without_addresses(error)}). It is not a folder with "
        "a CTranslate2 model, and the model hub gave none: check the name and the network, or give "
        "a local folder as MODEL."
    )
