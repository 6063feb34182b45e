"""Loads Whisper, and measures how much fits the machine."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..common import hub_download
from ..common.errors import ModelMissingError, without_addresses
from ..common.gpu_memory import Card
from ..common.hub_offer import NEEDED, repository_of
from ..common.model_cache import cached_model
from ..common.settings import WorkerSettings
from ..contract import JobOptions
from .decoder import Decoder
from .encoder import Encoder

CPU_BATCH = 8  # the sweet spot of two cores
MOST_WINDOWS = 64  # more gained nothing on any GPU in published benchmarks
_FREE_SHARE = 0.8  # of free GPU memory; the rest is for fragmentation and the diarizer
_PROBE_WINDOWS = 8
_PROBE_BEAM = 2  # as most jobs have it (BEAM_SIZE)
_SMALL_MODEL_BYTES = 50_000_000  # below this size, one thread was twice as fast as two
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
        raise ModelMissingError(_advice(settings, error)) from error


def origin_of(settings: WorkerSettings) -> str:
    """`owner/name@commit` of the loaded model; empty if it is not from the hub."""
    return hub_download.origin_of(Path(_source(settings)))


def _source(settings: WorkerSettings) -> str:
    """The model's folder, downloaded if needed; without FETCHED_MODELS, its name on the hub.

    Raises:
        HubError: the model cannot be downloaded.
    """
    unpacked = settings.models / settings.model
    if unpacked.is_dir():
        return str(unpacked)
    if cached := cached_speech_model(settings):
        return str(cached)
    if settings.fetched is None or Path(settings.model).is_dir():
        return settings.model
    found = hub_download.find(settings.model, settings.fetched)
    token = settings.huggingface_token or None
    return str(found or hub_download.fetch(settings.model, settings.fetched, token, lambda _: None))


def cached_speech_model(settings: WorkerSettings) -> Path | None:
    """The model's folder in MODEL_CACHE; None if it is not there.

    Raises:
        HubError: MODEL is neither a known short name nor owner/name.
    """
    if settings.model_cache is None or Path(settings.model).is_dir():
        return None
    return cached_model(settings.model_cache, repository_of(settings.model), NEEDED)


def batch_for(model: Any, card: Card, configured: int) -> int:  # noqa: ANN401
    """Windows to decode together: as configured, 8 on a CPU, or as many as fit the GPU memory.

    The memory of a window depends on model, precision and GPU, so it is measured: how much more a
    batch of noise leaves allocated than a single window, which also loaded the kernels. If the
    estimate is too low, the first batch runs out of memory and is halved (`batched_decoding.py`).
    """
    if configured:
        return configured
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
    """Decode one window of noise: the first call on a GPU loads its kernels."""
    _decode_noise(model, 1)


def _decode_noise(model: Any, windows: int) -> None:  # noqa: ANN401
    rate = model.feature_extractor.sampling_rate
    noise = np.random.default_rng(0).normal(0, 0.01, rate * _SECONDS).astype(np.float32)
    decoder = Decoder(model, "en", JobOptions(model="", beam_size=_PROBE_BEAM), Encoder(model))
    spectrograms = [decoder.spectrogram(noise)] * windows
    decoder.decode(spectrograms, [_SECONDS * 1000] * windows)


def _compute_type(settings: WorkerSettings) -> str:
    """The configured type; for `auto`, float16 on a GPU and int8 on a CPU."""
    if settings.compute_type != "auto":
        return settings.compute_type
    import ctranslate2  # noqa: PLC0415

    on_card = settings.device != "cpu" and ctranslate2.get_cuda_device_count() > 0
    return "float16" if on_card else "int8"


def _threads_for(folder: Path) -> int:
    weights = folder / "model.bin"
    small = weights.is_file() and weights.stat().st_size < _SMALL_MODEL_BYTES
    return 1 if small else os.cpu_count() or 1


def _advice(settings: WorkerSettings, error: Exception) -> str:
    cache = settings.model_cache
    cached = f" It is not in MODEL_CACHE={cache}: select it as the endpoint's model."
    return (
        f"MODEL={settings.model} could not be loaded ({without_addresses(error)}). It is not a "
        "folder with a CTranslate2 model, and it could not be downloaded. Check the name and the "
        f"network, or set MODEL to a local folder.{cached if cache else ''}"
    )
