"""The loaded models of a worker, used for one job after another."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from .cloud_machine import this_machine
from .common.audio import Samples
from .common.errors import ModelMissingError
from .common.gpu_memory import Card
from .common.settings import COMMUNITY_1, NO_MODEL, WorkerSettings
from .contract import JobOptions, SpeechRegion
from .diarize.base import Diarizer, SpeakerService
from .gpu_sharing import Sharing
from .session import WorkerSession
from .transcribe.load_whisper import origin_of
from .transcribe.progress import TranscriptionProgress
from .transcribe.transcriber import Progress, Transcriber
from .weights_readahead import read_ahead
from .worker_retirement import Retirement


class Engine(Protocol):
    """What writes the words: a loaded Whisper, or an API. batch_windows: decoded together."""

    batch_windows: int

    def transcribe(
        self,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        options: JobOptions,
        speech: TranscriptionProgress,
        progress: Progress,
    ) -> None:
        """Fill `speech`, window by window, and call `progress` after each step."""
        ...


@dataclass
class Models:
    """The models, and the session in which they are used.

    transcriber: None: this worker only finds speakers.
    speaker_service: finds them elsewhere, from the address of the audio.
    is_api: the words are bought piece by piece, so each piece is saved before the next is sent.
    """

    transcriber: Engine | None
    diarizer: Diarizer | None = None
    session: WorkerSession = field(default_factory=WorkerSession)
    load_seconds: float = 0.0
    sharing: Sharing = field(init=False)
    retirement: Retirement = field(init=False)
    retire_after_jobs: int = 0
    model: str = ""
    diarizer_kind: str = ""
    diarization_model: str = ""  # for light: the revision of its networks; empty: the toy
    weights: str = ""
    is_api: bool = False
    speaker_service: SpeakerService | None = None

    def __post_init__(self) -> None:
        self.sharing = Sharing(self.session.card, is_apart=self.is_api)
        self.retirement = Retirement(self.session.card, self.retire_after_jobs)

    def check_options(self, options: JobOptions) -> None:
        """Raise ModelMissingError if a job needs other models than these."""
        if options.task != "diarize":
            self._check_model(options.model)
        elif self.diarizer is None and self.speaker_service is None:
            raise ModelMissingError(
                "The job asks for speakers, but this worker has DIARIZER=none: restart it with the "
                "DIARIZER of the orchestrator."
            )
        self._check_diarizer(options)

    def _check_model(self, wanted: str) -> None:
        if self.transcriber is None or (self.model and wanted != self.model):
            raise ModelMissingError(
                f"The job needs MODEL={wanted}, but this worker loaded {self.model or NO_MODEL}: "
                "send it to a worker with that model, or restart this worker with it."
            )

    def _check_diarizer(self, options: JobOptions) -> None:
        kind = options.diarizer
        speakers = options.diarization_model or COMMUNITY_1
        if kind == "pyannote" and speakers != (self.diarization_model or speakers):
            raise ModelMissingError(
                f"The job needs DIARIZATION_MODEL={speakers}, but this worker loaded "
                f"{self.diarization_model}: restart it with the DIARIZATION_MODEL of the "
                "orchestrator."
            )
        if kind == "light" == self.diarizer_kind and options.diarization_model not in {
            "",
            self.diarization_model,
        }:
            raise ModelMissingError(
                f"The job needs the light diarizer {options.diarization_model}, but this worker "
                f"has {self.diarization_model or 'the toy of the demo'}: run `make setup` there, "
                "or rebuild its image."
            )
        if kind == self.diarizer_kind == "pyannote_ai" and (
            options.diarization_model != self.diarization_model
        ):
            raise ModelMissingError(
                f"The job needs PYANNOTE_AI_MODEL={options.diarization_model}, but this worker "
                f"has {self.diarization_model}: restart it with the settings of the orchestrator."
            )
        if self.diarizer_kind and kind not in {"none", self.diarizer_kind}:
            raise ModelMissingError(
                f"The job needs DIARIZER={kind}, but this worker has {self.diarizer_kind}: restart "
                "it with the DIARIZER of the orchestrator."
            )


def load_models(settings: WorkerSettings) -> Models:
    """Load all models that jobs need, before the first lease is taken.

    The diarizer is loaded first: the batch of the speech model is sized by the remaining memory.

    Raises:
        ModelMissingError: with what was tried and what to do.
        LicenceError: which terms to accept, or which variable is missing.
    """
    if settings.engine == "openai":
        return _api(settings)
    if settings.engine == "pyannote_ai":
        return _pyannote_ai(settings)
    since = time.perf_counter()
    read_ahead(settings)
    card = Card.of(settings)
    diarizer = load_diarizer(settings)
    speaks = settings.model != NO_MODEL
    transcriber = Transcriber.load(settings, card) if speaks else None
    machine = this_machine(settings.spot_notices, settings.spot_metadata_url)
    session = WorkerSession(card=card, models_ready_at=datetime.now(UTC), machine=machine)
    return Models(
        transcriber=transcriber,
        diarizer=diarizer,
        session=session,
        load_seconds=time.perf_counter() - since,
        retire_after_jobs=settings.retire_after_jobs,
        model=settings.model,
        diarizer_kind=settings.diarizer,
        diarization_model=getattr(diarizer, "revision", settings.diarization_model),
        weights=origin_of(settings) if speaks else "",
    )


def _pyannote_ai(settings: WorkerSettings) -> Models:
    """No model is loaded: the service finds the speakers."""
    from .apis.pyannote_ai import PyannoteAi  # noqa: PLC0415  # no other worker needs it

    return Models(
        transcriber=None,
        session=WorkerSession(models_ready_at=datetime.now(UTC), buys=True),
        retire_after_jobs=settings.retire_after_jobs,
        diarizer_kind="pyannote_ai",
        diarization_model=settings.pyannote_ai_model,
        speaker_service=PyannoteAi.of(settings),
    )


def _api(settings: WorkerSettings) -> Models:
    """An API for the words; on this machine, only the speakers are found, and words aligned."""
    from .apis.api_transcriber import ApiTranscriber  # noqa: PLC0415  # no other engine needs it

    since = time.perf_counter()
    diarizer = load_diarizer(settings)
    transcriber = ApiTranscriber.load(settings)
    return Models(
        transcriber=transcriber,
        diarizer=diarizer,
        session=WorkerSession(models_ready_at=datetime.now(UTC), buys=True),
        load_seconds=time.perf_counter() - since,
        retire_after_jobs=settings.retire_after_jobs,
        diarizer_kind=settings.diarizer,
        diarization_model=getattr(diarizer, "revision", settings.diarization_model),
        weights=transcriber.name,
        is_api=True,
    )


def load_diarizer(settings: WorkerSettings) -> Diarizer | None:
    """The diarizer of the settings; None for DIARIZER=none.

    Raises:
        ModelMissingError: with what was tried and what to do.
        LicenceError: which terms to accept, or which variable is missing.
    """
    if settings.diarizer == "light":
        return _light(settings)
    if settings.diarizer == "pyannote":
        from .diarize.pyannote import PyannoteDiarizer  # noqa: PLC0415  # torch takes seconds

        return PyannoteDiarizer.load(settings)
    return None


def _light(settings: WorkerSettings) -> Diarizer:
    """The real light diarizer if its networks are installed, else the toy, which results name."""
    if settings.voices_folder.is_dir():
        from .diarize.light import LightDiarizer  # noqa: PLC0415

        return LightDiarizer.load(settings.voices_folder)
    from .diarize.toy import ToyDiarizer  # noqa: PLC0415

    return ToyDiarizer(settings.models / "speaker-demo.onnx")
