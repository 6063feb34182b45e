"""Transcribes a recording by an API: one piece after another, and no piece twice."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from ..common.audio import SAMPLES_PER_MS, Samples
from ..common.errors import JobFailedError
from ..common.purchases import Purchases
from ..common.settings import WorkerSettings
from ..contract import JobOptions, JobWarning, SpeechRegion
from ..contract.api_presets import ApiPreset, preset_of
from ..transcribe.batched_decoding import cut
from ..transcribe.progress import SpeechDone, TranscriptionProgress
from ..transcribe.removal_warnings import removal_warning
from ..transcribe.segments import segments_of
from ..transcribe.transcriber import Progress
from ..transcribe.windows import Window
from .aligner import Aligner, ProportionalAligner
from .answers import ApiAnswer
from .cut_pieces import planned, with_halves
from .encode_piece import LEAST_SAMPLES, flac_of, longest_ms
from .heard_languages import HeardLanguages
from .piece_words import words_of_answer
from .request_form import form_of, translates
from .speech_spans import speech_in
from .transcription_client import (
    Check,
    PieceRequest,
    PieceTooLongError,
    TranscriptionClient,
)

_SENT_AGAIN = (
    "The API's answer to a part of the recording was lost, so the part was sent again: it may be "
    "billed twice."
)
_ESTIMATED = (
    "The times of words are estimated: the API gives none, and no Whisper model on this machine "
    "could find them (OPENAI_ALIGN_MODEL)."
)


@dataclass(frozen=True)
class _Job:
    """What all pieces of a job share."""

    samples: Samples
    regions: tuple[SpeechRegion, ...]
    options: JobOptions


class ApiTranscriber:
    """An API in the place of a loaded Whisper. Created by `load`; used for one job after another.

    batch_windows: pieces in flight; one, since a killed worker's pieces in flight are lost.
    """

    def __init__(self, client: TranscriptionClient, preset: ApiPreset, aligner: Aligner) -> None:
        self._client, self._preset, self._aligner = client, preset, aligner
        self.batch_windows = 1

    @classmethod
    def load(cls, settings: WorkerSettings) -> "ApiTranscriber":
        """The API of the settings, and the model that aligns its words; makes no request.

        Raises:
            ModelMissingError: the model that aligns words cannot be loaded.
        """
        preset = _preset(settings)
        client = TranscriptionClient(settings.api_url, settings.api_key)
        return cls(client, preset, _aligner(settings, preset))

    @property
    def name(self) -> str:
        """Host and model, as a result names what wrote its words."""
        return f"{self._preset.host}/{self._preset.model}"

    def transcribe(
        self,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        options: JobOptions,
        speech: TranscriptionProgress,
        progress: Progress,
    ) -> None:
        """Fill `speech`, piece by piece; pieces that are done are skipped.

        Raises:
            JobFailedError: the API refuses the job, or does not answer.
            Exception: whatever `progress` raises, which is how the owner stops the work;
                `speech` is then consistent.
        """
        job = _Job(samples, regions, options)
        if speech.plan is None:
            most_ms = longest_ms(self._preset.piece_seconds, self._preset.max_bytes)
            speech.plan = planned(samples, regions, options, most_ms)
            if options.task == "translate" and not self._preset.translates:
                text = f"A translation was requested, but {self.name} cannot translate."
                speech.warnings.append(JobWarning(code="cannot_translate", message=text))
        self._bought(job, speech, progress)
        if speech.word_times == "estimated":
            _warn(speech, [JobWarning(code="word_times_estimated", message=_ESTIMATED)])
        speech.sort_by_time()

    def _bought(self, job: _Job, speech: TranscriptionProgress, progress: Progress) -> None:
        """Buy the remaining pieces, and settle the language."""
        if speech.plan is None or not speech.plan.windows:
            return
        before = speech.plan.windows[: speech.windows_done]
        heard = HeardLanguages(speech.plan.language, sum(window.length_ms for window in before))
        cut_already: set[tuple[int, int]] = set()
        while speech.windows_done < len(speech.plan.windows):
            window = speech.plan.windows[speech.windows_done]
            done = SpeechDone(speech.plan.windows, job.regions)
            told = done.speech_ms(speech.windows_done, 0)
            unclear_ms = self._client.unclear_ms
            try:
                answer = self._answer(job, window, partial(progress, told), speech.purchases)
            except PieceTooLongError as error:
                self._cut_smaller(job, speech, cut_already, error)
                continue
            heard.add(answer.language, window.length_ms)
            language = job.options.language or heard.language
            speech.plan = replace(speech.plan, language=language, probability=round(heard.share, 4))
            of_piece = self._words(job, window, answer)
            if self._client.unclear_ms > unclear_ms:
                of_piece.warnings.append(_sent_again(window))
            speech.add(of_piece, 1)
            progress(done.speech_ms(speech.windows_done, 0))
        _warn(speech, heard.warnings(job.options))

    def _answer(self, job: _Job, window: Window, check: Check, purchases: Purchases) -> ApiAnswer:
        task = "translations" if translates(self._preset, job.options) else "transcriptions"
        piece = PieceRequest(
            f"/audio/{task}",
            form_of(self._preset, job.options),
            flac_of(job.samples, window),
            _billed_ms(self._preset, window),
        )
        return self._client.transcribe(piece, check, purchases)

    def _words(self, job: _Job, window: Window, answer: ApiAnswer) -> TranscriptionProgress:
        sound = cut(job.samples, window)
        spoken = speech_in(window, job.regions)
        language = answer.language or job.options.language or ""
        found = words_of_answer(answer, sound, spoken, language, self._aligner)
        along = language if job.options.detect == "along" and not job.options.language else ""
        made = TranscriptionProgress(word_times=found.word_times)
        for raw in found.filtered.segments:
            made.segments.extend(segments_of(raw, window, along))
        made.warnings.extend(removal_warning(each, window) for each in found.filtered.removals)
        return made

    def _cut_smaller(
        self,
        job: _Job,
        speech: TranscriptionProgress,
        cut_already: set[tuple[int, int]],
        why: PieceTooLongError,
    ) -> None:
        """Cut the next piece in two, once; a half that is refused too is an error."""
        if speech.plan is None:
            return
        at = speech.windows_done
        window = speech.plan.windows[at]
        if _begin(window) in cut_already:
            raise JobFailedError(
                "internal",
                f"A piece of {window.length_ms / 1000:.0f} s is still too long: {why}. Set "
                "OPENAI_MAX_SECONDS or OPENAI_MAX_BYTES to the API's limits.",
            )
        speech.plan = with_halves(speech.plan, at, job.samples)
        cut_already.update(_begin(half) for half in speech.plan.windows[at : at + 2])


def _billed_ms(preset: ApiPreset, window: Window) -> int:
    """The audio that is sent, or the API's minimum."""
    sent_ms = max(window.length_ms, LEAST_SAMPLES // SAMPLES_PER_MS)
    return max(sent_ms, round(preset.minimum_seconds * 1000))


def _preset(settings: WorkerSettings) -> ApiPreset:
    """What the API can do, with the limits of the settings."""
    return preset_of(
        settings.api_url,
        settings.api_model,
        own=settings.api_own,
        times=settings.api_times,
        max_bytes=settings.api_max_bytes,
        max_seconds=settings.api_max_seconds,
    )


def _aligner(settings: WorkerSettings, preset: ApiPreset) -> Aligner:
    if preset.times == "word" or not settings.align_model:
        return ProportionalAligner()
    from .whisper_aligner import WhisperAligner  # noqa: PLC0415  # loads a model of 100 MB or more

    return WhisperAligner.load(settings)


def _warn(speech: TranscriptionProgress, warnings: Iterable[JobWarning]) -> None:
    """Add the warnings about the whole, unless an earlier attempt got as far."""
    speech.warnings.extend(each for each in warnings if each not in speech.warnings)


def _begin(window: Window) -> tuple[int, int]:
    return window.channel, window.pieces[0].start_ms


def _sent_again(window: Window) -> JobWarning:
    return JobWarning(
        code="sent_again",
        message=_SENT_AGAIN,
        start_ms=window.pieces[0].start_ms,
        end_ms=window.pieces[-1].end_ms,
    )
