"""The models of a pyannote pipeline, from a local folder or the hub."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...common.audio import SAMPLE_RATE_HZ
from ...common.errors import ModelMissingError
from ...common.model_cache import cached_model
from ...common.settings import WorkerSettings
from .load_errors import GO_ON, explained, not_installed
from .torchaudio_shim import import_torchaudio

if TYPE_CHECKING:
    import torch
    from pyannote.audio import Inference
    from pyannote.audio.pipelines import SpeakerDiarization
    from pyannote.audio.pipelines.clustering import BaseClustering
    from pyannote.audio.pipelines.speaker_verification import (
        PyannoteAudioPretrainedSpeakerEmbedding,
    )

_MODELS = ("segmentation", "embedding", "plda")


@dataclass(frozen=True)
class Parts:
    """The parts of a pyannote pipeline.

    segmentation: activity of three speakers in each frame of a chunk of about 10 s.
    embedding: the voice of each of the three as a vector.
    exclude_overlap: whether embeddings use only solo speech.
    least_samples: the shortest input of the embedding.
    join_seconds: shorter pauses do not end a turn.
    segmentation_batch, embedding_batch: windows per batch.
    """

    segmentation: "Inference"
    embedding: "PyannoteAudioPretrainedSpeakerEmbedding"
    clustering: "BaseClustering"
    exclude_overlap: bool
    least_samples: int
    join_seconds: float
    segmentation_batch: int
    embedding_batch: int


def load_parts(settings: WorkerSettings) -> Parts:
    """Load the models onto the device of the settings, without network access if possible.

    Raises:
        LicenceError: the hub requires a token, or accepted terms.
        ModelMissingError: neither a folder nor available on the hub, an unsupported pipeline, or
            no GPU with DEVICE=cuda.
        OutOfMemoryError: not enough memory for the models.
    """
    try:
        import_pyannote()
    except ImportError as error:
        raise ModelMissingError(not_installed(error.name or "pyannote.audio")) from error
    device = _device(settings)
    # pyannote has no common base class for errors of missing, damaged or too new files
    try:
        pipeline = _pipeline(settings, device)
    except Exception as error:
        model, token = settings.diarization_model, settings.huggingface_token
        raise explained(error, model, token) from error
    return parts_of(pipeline, settings.diarization_model)


def parts_of(pipeline: "SpeakerDiarization", name: str) -> Parts:
    """The parts of a loaded pipeline.

    Raises:
        ModelMissingError: the pipeline is not supported.
    """
    from pyannote.audio.pipelines.clustering import (  # noqa: PLC0415
        AgglomerativeClustering,
        VBxClustering,
    )
    from pyannote.audio.pipelines.speaker_verification import (  # noqa: PLC0415
        PyannoteAudioPretrainedSpeakerEmbedding,
    )

    segmentation, embedding = pipeline._segmentation, pipeline._embedding  # noqa: SLF001
    known = (
        segmentation.model.specifications.powerset
        and isinstance(embedding, PyannoteAudioPretrainedSpeakerEmbedding)
        and embedding.sample_rate == SAMPLE_RATE_HZ
        and isinstance(pipeline.clustering, AgglomerativeClustering | VBxClustering)
    )
    if not known:
        raise ModelMissingError(
            f"DIARIZATION_MODEL={name} is not supported: it must be like pyannote's community-1 "
            f"or 3.1 (powerset segmentation, pyannote embedding, VBx or agglomerative "
            f"clustering, 16 kHz). {GO_ON}"
        )
    return Parts(
        segmentation,
        embedding,
        pipeline.clustering,
        exclude_overlap=pipeline.embedding_exclude_overlap,
        least_samples=_least_samples(embedding),
        join_seconds=pipeline.segmentation.min_duration_off,
        segmentation_batch=pipeline.segmentation_batch_size,
        embedding_batch=pipeline.embedding_batch_size,
    )


def _least_samples(embedding: "PyannoteAudioPretrainedSpeakerEmbedding") -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyannote probes inputs that are too short
        return int(embedding.min_num_samples)


def import_pyannote() -> None:
    """Import pyannote.audio without warnings and telemetry; loads torch."""
    # read at import (pyannote.audio.telemetry.metrics of 4.0.7), on by default
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchcodec is missing, but decodes nothing here
        import_torchaudio()
        import pyannote.audio  # noqa: F401, PLC0415


def _pipeline(settings: WorkerSettings, device: "torch.device") -> "SpeakerDiarization":
    import torch  # noqa: PLC0415
    from pyannote.audio import Pipeline  # noqa: PLC0415
    from pyannote.audio.utils.reproducibility import fix_reproducibility  # noqa: PLC0415

    if settings.threads:
        torch.set_num_threads(settings.threads)
    token = settings.huggingface_token or None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about versions in a model's training
        pipeline = Pipeline.from_pretrained(config_of(settings, token), token=token)
        fix_reproducibility(device)  # disables TF32, as pyannote does before each run
    if not pipeline.instantiated:
        pipeline.instantiate(pipeline.default_parameters())
    return pipeline.to(device)


def config_of(settings: WorkerSettings, token: str | None) -> dict[str, Any]:
    """The pipeline's config.yaml, its models made folders wherever MODELS_FOLDER has them."""
    import yaml  # noqa: PLC0415
    from pyannote.audio.core.pipeline import expand_subfolders  # noqa: PLC0415
    from pyannote.audio.utils.hf_hub import AssetFileName, download_from_hf_hub  # noqa: PLC0415

    name = settings.diarization_model
    folder = _folder(settings, name)
    if folder:
        path = folder / "config.yaml"
    else:
        path = Path(download_from_hf_hub(name, AssetFileName.Pipeline, token=token))
    config: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    expand_subfolders(config, folder or name, token=token)
    models = config["pipeline"]["params"]
    for part in _MODELS:
        if isinstance(models.get(part), str) and (found := _folder(settings, models[part])):
            models[part] = {"checkpoint": str(found)}
    _without_plda(models)
    return config


def _without_plda(models: dict[str, Any]) -> None:
    """Skip the PLDA of community-1, which pyannote 4 loads for 3.1 although 3.1 does not use it."""
    from pyannote.audio.core.plda import PLDA  # noqa: PLC0415

    if models.get("clustering", "VBxClustering") != "VBxClustering":
        models["plda"] = PLDA.__new__(PLDA)


def _folder(settings: WorkerSettings, name: str) -> Path | None:
    """MODELS_FOLDER/name or the path itself, if it is a folder; else the one in MODEL_CACHE."""
    for path in (settings.models / name, Path(name)):
        if path.is_dir():
            return path
    return cached_model(settings.model_cache, name, ())


def _device(settings: WorkerSettings) -> "torch.device":
    import torch  # noqa: PLC0415

    card = torch.cuda.is_available()
    if settings.device == "cuda" and not card:
        raise ModelMissingError(
            f"DEVICE=cuda, but torch {torch.__version__} finds no GPU. Use a machine with a GPU "
            "and a matching build of torch, or set DEVICE=auto or DEVICE=cpu."
        )
    return torch.device("cuda" if card and settings.device != "cpu" else "cpu")
