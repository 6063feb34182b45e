"""Transcribes speech: packs windows, decodes batches, filters words and fills gaps."""

from collections.abc import Callable, Iterator
from typing import Any

from ..common.audio import Samples, as_float
from ..common.gpu_memory import Card
from ..common.settings import WorkerSettings
from ..contract import JobOptions, JobWarning, SpeechRegion
from ..contract.translation_support import cannot_translate
from .batched_decoding import Batches, Call, cut
from .decoded_batch import Ask, DecodedBatch
from .decoder import Check
from .input_limits import check_options
from .language_detection import language_chances
from .language_vote import Guess, guess_of
from .load_whisper import batch_for, load_whisper
from .progress import SpeechDone, TranscriptionProgress
from .quietest_point import quietest
from .removal_warnings import removal_warning
from .removed_words import FilteredWindow
from .second_decode import SecondDecode
from .segments import segments_of
from .silence_prior import SilencePrior
from .window_plan import WindowPlan, plan
from .windows import Window, pack

Progress = Callable[[int], None]  # milliseconds of speech done; raises where the work must stop


class Transcriber:
    """A loaded Whisper. Created by `load`, used for one job after another."""

    def __init__(self, model: Any, batch_windows: int) -> None:  # noqa: ANN401  # WhisperModel
        self._model = model
        self._batches = Batches(model, batch_windows)
        self._silence_prior = SilencePrior(model)

    @classmethod
    def load(cls, settings: WorkerSettings, card: Card) -> "Transcriber":
        """Load the model of the settings, and measure the batch size that fits the device.

        Raises:
            ModelMissingError: with what was tried and what to do.
        """
        model = load_whisper(settings)
        return cls(model, batch_for(model, card, settings.batch_windows))

    @property
    def batch_windows(self) -> int:
        """Windows decoded together."""
        return self._batches.batch_windows

    @batch_windows.setter
    def batch_windows(self, windows: int) -> None:
        self._batches.batch_windows = windows

    def transcribe(
        self,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        options: JobOptions,
        speech: TranscriptionProgress,
        progress: Progress,
    ) -> None:
        """Fill `speech`, call by call; windows that are done are skipped.

        Raises:
            ModelMissingError: the model does not know the language.
            JobFailedError: hotwords and initial prompt are too long.
            OutOfMemoryError: not even one window fits.
            Exception: whatever `progress` raises, which is how the owner stops the work;
                `speech` is then consistent.
        """
        check_options(self._model, options)
        if speech.plan is None:
            speech.plan = self._plan(samples, regions, options, progress)
            speech.warnings.extend((*speech.plan.warnings, *_translation_warnings(options)))
        done = SpeechDone(speech.plan.windows, regions)
        calls = _calls(speech.plan, speech.windows_done, self._batches.windows_a_call)

        def batched(ms: int) -> None:
            progress(done.speech_ms(speech.windows_done, ms))

        def check() -> None:
            batched(0)

        check()
        for call, found in self._batches.decode(samples, calls, options, batched):
            # collected separately: `check` may stop the work, and only whole calls are added
            heard = DecodedBatch.of(samples, call, found, self._ask(options, check))
            of_call = TranscriptionProgress(speech.plan)
            of_call.warnings += self._mend(heard, samples, regions, options, check)
            for window, filtered in zip(call.windows, heard.timed(), strict=True):
                _add_window(of_call, window, filtered, call.language)
            speech.add(of_call, len(call.windows))
            progress(done.speech_ms(speech.windows_done, 0))
        speech.sort_by_time()

    def _plan(
        self,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        options: JobOptions,
        progress: Progress,
    ) -> WindowPlan:
        def guess(window: Window) -> Guess:
            progress(0)
            sound = as_float(cut(samples, window))
            chances = language_chances(
                self._batches.encoder, sound, is_decoded_later=window in windows
            )
            return guess_of(chances, options.languages)

        self._batches.encoder.clear_cache()
        windows = pack(regions, samples.shape[1] // 16, quietest(samples))
        if not self._is_multilingual:
            return WindowPlan(tuple(windows), "en")
        return plan(windows, options, guess)

    def _mend(
        self,
        heard: DecodedBatch,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        options: JobOptions,
        check: Check,
    ) -> list[JobWarning]:
        """Decode spans without words again, and insert new words; returns warnings."""
        gaps = heard.gaps(regions)
        if not gaps:
            return []
        check()
        again = self._batches.again(samples, heard.stretches(gaps), options, check)
        return heard.mend(gaps, again)

    def _ask(self, options: JobOptions, check: Check) -> Ask:
        def ask(audio: Samples, language: str) -> SecondDecode:
            is_given = options.language is not None
            return SecondDecode(
                self._model, self._silence_prior, audio, language, options.task, check, is_given
            )

        return ask

    @property
    def _is_multilingual(self) -> bool:
        """Whether the model can detect languages; models such as small.en cannot."""
        return bool(self._model.model.is_multilingual)


def _calls(plan: WindowPlan, done: int, most: int) -> list[Call]:
    """The remaining windows, grouped: consecutive ones of one language, up to `most` per call."""
    calls: list[Call] = []
    for i in range(done, len(plan.windows)):
        language = plan.language_of(i)
        last = calls[-1] if calls else None
        if last is not None and last.language == language and len(last.windows) < most:
            calls[-1] = Call((*last.windows, plan.windows[i]), language)
        else:
            calls.append(Call((plan.windows[i],), language))
    return calls


def _add_window(
    speech: TranscriptionProgress, window: Window, filtered: FilteredWindow, language: str
) -> None:
    along = language if speech.plan is not None and speech.plan.along else ""
    for raw in filtered.segments:
        speech.segments.extend(segments_of(raw, window, along))
    speech.warnings.extend(removal_warning(removal, window) for removal in filtered.removals)


def _translation_warnings(options: JobOptions) -> Iterator[JobWarning]:
    why = cannot_translate(options.model) if options.task == "translate" else ""
    if why:
        text = f"A translation was requested, but MODEL={options.model} cannot translate: {why}."
        yield JobWarning(code="cannot_translate", message=text)
