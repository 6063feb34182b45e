"""What a worker has loaded, for one job after another."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .card import Card
from .contract import JobOptions
from .diarize.base import Diarizer
from .errors import ModelMissingError
from .retirement import Retirement
from .session import Session
from .settings import COMMUNITY_1, WorkerSettings
from .sharing import Sharing
from .speech.model import origin_of
from .speech.transcriber import Transcriber
from .weights import read_ahead


@dataclass
class Models:
    """The models, and the session in which they are used."""

    transcriber: Transcriber
    diarizer: Diarizer | None = None
    session: Session = field(default_factory=Session)
    load_seconds: float = 0.0
    sharing: Sharing = field(init=False)
    retirement: Retirement = field(init=False)
    retire_after_jobs: int = 0
    model: str = ""
    diarizer_kind: str = ""
    diarization_model: str = ""
    weights: str = ""

    def __post_init__(self) -> None:
        self.sharing = Sharing(self.session.card)
        self.retirement = Retirement(self.session.card, self.retire_after_jobs)

    def must_serve(self, options: JobOptions) -> None:
        """Raises ModelMissingError where a job wants other models than these."""
        wanted, kind = options.model, options.diarizer
        if self.model and wanted != self.model:
            raise ModelMissingError(
                f"The job wants MODEL={wanted}, and this worker has loaded {self.model}: send it "
                "to a worker of that model, or start this one with it."
            )
        speakers = options.diarization_model or COMMUNITY_1
        if kind == "pyannote" and speakers != (self.diarization_model or speakers):
            raise ModelMissingError(
                f"The job wants DIARIZATION_MODEL={speakers}, and this worker has loaded "
                f"{self.diarization_model}: start it with the one of the orchestrator."
            )
        if self.diarizer_kind and kind not in {"none", self.diarizer_kind}:
            raise ModelMissingError(
                f"The job wants DIARIZER={kind}, and this worker has {self.diarizer_kind}: start "
                "it with the same DIARIZER as the orchestrator."
            )


def load_models(settings: WorkerSettings) -> Models:
    """Everything a job may need, before the first claim is taken.

    The diarizer comes first: the speech model's batch takes its share of what is left.

    Raises:
        ModelMissingError: with what was tried and what to do.
        LicenceError: which terms are to be accepted, or which variable is missing.
    """
    since = time.perf_counter()
    read_ahead(settings)
    card = Card.of(settings)
    diarizer = load_diarizer(settings)
    transcriber = Transcriber.load(settings, card)
    session = Session(card=card, models_ready_at=datetime.now(UTC))
    return Models(
        transcriber=transcriber,
        diarizer=diarizer,
        session=session,
        load_seconds=time.perf_counter() - since,
        retire_after_jobs=settings.retire_after_jobs,
        model=settings.model,
        diarizer_kind=settings.diarizer,
        diarization_model=settings.diarization_model,
        weights=origin_of(settings),
    )


def load_diarizer(settings: WorkerSettings) -> Diarizer | None:
    """The diarizer of the settings; None where nobody looks for speakers.

    Raises:
        ModelMissingError: with what was tried and what to do.
        LicenceError: which terms are to be accepted, or which variable is missing.
    """
    if settings.diarizer == "light":
        from .diarize.light import LightDiarizer  # noqa: PLC0415

        return LightDiarizer(settings.models / "speaker-demo.onnx")
    if settings.diarizer == "pyannote":
        from .diarize.pyannote import PyannoteDiarizer  # noqa: PLC0415  # torch takes seconds

        return PyannoteDiarizer.load(settings)
    return None
