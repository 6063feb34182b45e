"""What was said: packed windows of speech, decoded in batches, doubted, and mended."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..audio import Samples, as_float
from ..card import Card
from ..contract import JobOptions, JobWarning, SpeechRegion
from ..settings import WorkerSettings
from ..translating import cannot_translate
from .batches import Batches, Call, cut
from .bounds import must_be_possible
from .decoding import Check
from .heard_call import Ask, HeardCall
from .languages import Guess, guess_of
from .model import batch_for, load_whisper
from .plan import Plan, plan
from .quiet import quietest
from .removals import Believed, Removal
from .second_opinion import AskedAgain
from .segments import segments_of, words_of
from .so_far import Speech
from .spoken_language import language_chances
from .unheard import Unheard
from .windows import Window, pack

Progress = Callable[[int], None]  # milliseconds of speech done; raises where the work must stop

_REASONS = {
    "no_words": "Nothing but punctuation was written.",
    "repetition": "The same words were written more often than they were heard.",
    "no_speech": "Words were written where nobody speaks.",
    "boilerplate": "A phrase was written that stands under videos, over near-silence.",
    "no_language": "Words were written where something sounds like speech, in no language.",
}


class Transcriber:
    """A loaded Whisper. Made by `load`, used for one job after another."""

    def __init__(self, model: Any, batch_windows: int) -> None:  # noqa: ANN401  # WhisperModel
        self._model = model
        self._batches = Batches(model, batch_windows)
        self._unheard = Unheard(model)

    @classmethod
    def load(cls, settings: WorkerSettings, card: Card) -> "Transcriber":
        """Load the model of the settings, and find how much of it the device bears at once.

        Raises:
            ModelMissingError: with what was tried and what to do.
        """
        model = load_whisper(settings)
        return cls(model, batch_for(model, card, settings.batch_windows))

    @property
    def batch_windows(self) -> int:
        """Windows decoded at once."""
        return self._batches.batch_windows

    @batch_windows.setter
    def batch_windows(self, windows: int) -> None:
        self._batches.batch_windows = windows

    def transcribe(
        self,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        options: JobOptions,
        speech: Speech,
        progress: Progress,
    ) -> None:
        """Fill `speech`, call by call; what it holds already is not done again.

        Raises:
            ModelMissingError: the model does not know the language.
            JobFailedError: hotwords and initial prompt are too long.
            OutOfMemoryError: not even one window fits.
            Exception: whatever `progress` raises; it is how the owner stops the work. What
                `speech` holds by then is whole.
        """
        must_be_possible(self._model, options)
        if speech.plan is None:
            speech.plan = self._plan(samples, regions, options, progress)
            speech.warnings.extend((*speech.plan.doubts, *_of_translation(options)))
        done = _Done(speech.plan.windows, regions)
        calls = _calls(speech.plan, speech.windows_done, self._batches.windows_a_call)

        def batched(ms: int) -> None:
            progress(done.speech_ms(speech.windows_done, ms))

        def check() -> None:
            batched(0)

        check()
        for call, found in self._batches.decode(samples, calls, options, batched):
            # apart, since `check` may stop the work: a call is kept as a whole, or is heard again
            heard = HeardCall.of(samples, call, found, self._ask(options, check))
            of_call = Speech(speech.plan)
            of_call.warnings += self._mend(heard, samples, regions, options, check)
            for window, believed in zip(call.windows, heard.timed(), strict=True):
                _keep(of_call, window, believed, call.language)
            speech.add(of_call, len(call.windows))
            progress(done.speech_ms(speech.windows_done, 0))
        speech.put_in_order()

    def _plan(
        self,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        options: JobOptions,
        progress: Progress,
    ) -> Plan:
        def guess(window: Window) -> Guess:
            progress(0)
            chances = language_chances(self._model, as_float(cut(samples, window)))
            return guess_of(chances, options.languages)

        windows = pack(regions, samples.shape[1] // 16, quietest(samples))
        if not self._is_multilingual:
            return Plan(tuple(windows), "en")
        return plan(windows, options, guess)

    def _mend(
        self,
        heard: HeardCall,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        options: JobOptions,
        check: Check,
    ) -> list[JobWarning]:
        """Hears once more what was said and is not written, and tells of it."""
        unsaid = heard.gaps(regions)
        if not unsaid:
            return []
        check()
        again = self._batches.again(samples, heard.stretches(unsaid), options, check)
        return heard.mend(unsaid, again)

    def _ask(self, options: JobOptions, check: Check) -> Ask:
        def ask(audio: Samples, language: str) -> AskedAgain:
            told = options.language is not None
            return AskedAgain(
                self._model, self._unheard, audio, language, options.task, check, told
            )

        return ask

    @property
    def _is_multilingual(self) -> bool:
        """Models such as small.en know English alone, and refuse to guess."""
        return bool(self._model.model.is_multilingual)


class _Done:
    """How much of the speech is done, for so many windows; never less than was told before."""

    def __init__(self, windows: Sequence[Window], regions: Sequence[SpeechRegion]) -> None:
        self._before_ms = [0, *itertools.accumulate(window.length_ms for window in windows)]
        spoken = sum(region.end_ms - region.start_ms for region in regions)
        self._share = spoken / max(self._before_ms[-1], 1)
        self._most_ms = 0

    def speech_ms(self, windows: int, further_ms: int) -> int:
        """Milliseconds of speech in the first `windows`, and in `further_ms` of the next."""
        heard_ms = min(self._before_ms[windows] + further_ms, self._before_ms[-1])
        # a call that ran out of memory begins again
        self._most_ms = max(self._most_ms, round(self._share * heard_ms))
        return self._most_ms


def _calls(plan: Plan, done: int, most: int) -> list[Call]:
    """The windows that are still to do: neighbours of one language, as many as go together."""
    calls: list[Call] = []
    for i in range(done, len(plan.windows)):
        language = plan.language_of(i)
        last = calls[-1] if calls else None
        if last is not None and last.language == language and len(last.windows) < most:
            calls[-1] = Call((*last.windows, plan.windows[i]), language)
        else:
            calls.append(Call((plan.windows[i],), language))
    return calls


def _keep(speech: Speech, window: Window, believed: Believed, language: str) -> None:
    along = language if speech.plan is not None and speech.plan.along else ""
    for raw in believed.segments:
        speech.segments.extend(segments_of(raw, window, along))
    speech.warnings.extend(_warning(removal, window) for removal in believed.removals)


def _of_translation(options: JobOptions) -> Iterator[JobWarning]:
    why = cannot_translate(options.model) if options.task == "translate" else ""
    if why:
        text = f"A translation was wished for, and MODEL={options.model} makes none: {why}."
        yield JobWarning(code="cannot_translate", message=text)


def _warning(removal: Removal, window: Window) -> JobWarning:
    low, high = window.recording_span(removal.start_ms, removal.end_ms)
    return JobWarning(
        code=removal.reason,
        message=_REASONS[removal.reason],
        start_ms=low,
        end_ms=high,
        text=removal.text,
        words=words_of(removal.words, window),
        evidence=removal.evidence,
    )
