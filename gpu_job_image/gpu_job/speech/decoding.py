"""A batch of windows through a Whisper: encoder, decoder, word times.

It does what faster-whisper's batched pipeline does, but for what loses words there:
- **What stands after the last time is kept.** A window of which the text does not end with a time
  was not finished by the model. Plain Whisper drops that rest and hears it again in the next
  window; the batched pipeline drops it and hears nothing again.
- **What is missing to 30 s is silence.** Whisper was trained on sound that is filled up with
  silence; faster-whisper fills the spectrogram up with zeros, which is a noise.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract import JobOptions
from .raw import RawSegment, raw_segment
from .second_try import BEAM, has_failed, logprob_of

FRAME_MS = 10  # of the spectrogram
FRAMES = 3_000  # 30 s, which the encoder was trained on
FLOOR = 2.0  # silence in a log-mel spectrogram: (max - 8) of (x + 4) / 4, as Whisper clips it,
SILENCE = -1.5  # but never below (-10 + 4) / 4: it counts no power below 1e-10

Spectrogram = npt.NDArray[np.float32]  # (bands, frames)
Check = Callable[[], None]  # raises where the work must stop


def spectrogram_of(
    model: Any,  # noqa: ANN401  # faster_whisper.WhisperModel
    sound: npt.NDArray[np.float32],
    frames: int = FRAMES,
) -> Spectrogram:
    """As many frames of sound, filled up with silence."""
    found = model.feature_extractor(sound)[:, : len(sound) // (FRAME_MS * 16)][:, :frames]
    silence = max(float(found.max(initial=-np.inf)) - FLOOR, SILENCE)
    filled = np.full((found.shape[0], frames), silence, np.float32)
    filled[:, : found.shape[1]] = found
    return filled


@dataclass(frozen=True)
class Decoder:
    """A loaded Whisper that hears one language, with what a job wishes."""

    model: Any  # faster_whisper.WhisperModel
    language: str
    options: JobOptions

    def spectrogram(self, sound: npt.NDArray[np.float32], frames: int = FRAMES) -> Spectrogram:
        """What the encoder takes, of at most 30 s of sound."""
        return spectrogram_of(self.model, sound, frames)

    def decode(
        self,
        spectrograms: Sequence[Spectrogram],
        lengths_ms: Sequence[int],
        check: Check = lambda: None,
    ) -> list[list[RawSegment]]:
        """What is said in each window; times are those of the window.

        `check` is called before what is tried again: each beam takes as long as the batch may.

        Raises:
            RuntimeError: of CTranslate2, such as for want of memory.
            Exception: whatever `check` raises.
        """
        encoded = self._encoded(spectrograms)
        written = self._written(encoded, self.options.beam_size)
        if self.options.beam_size < BEAM:
            self._try_again(encoded, spectrograms, written, check)
        segments = [
            self._segments(result.sequences_ids[0], length_ms)
            for result, length_ms in zip(written, lengths_ms, strict=True)
        ]
        if self.options.word_times:
            self._place_words(segments, encoded, lengths_ms)
        return [
            self._raw(of_window, result)
            for of_window, result in zip(segments, written, strict=True)
        ]

    def _try_again(
        self,
        encoded: Any,  # noqa: ANN401  # StorageView
        spectrograms: Sequence[Spectrogram],
        written: list[Any],
        check: Check,
    ) -> None:
        """Puts in what a beam makes of those that failed; no more at once than the batch bears."""
        failed = [i for i, result in enumerate(written) if not self._passes(result)]
        most = max(1, len(written) // BEAM)  # each takes the memory of BEAM
        for low in range(0, len(failed), most):
            check()
            some = failed[low : low + most]
            again = self._written(self._some(encoded, spectrograms, some), BEAM)
            for i, second in zip(some, again, strict=True):
                likelier = max((second, written[i]), key=logprob_of)
                written[i] = second if self._passes(second) else likelier

    def _written(self, encoded: Any, beam_size: int) -> list[Any]:  # noqa: ANN401  # StorageView
        return list(
            self.model.model.generate(
                encoded,
                [self._prompt] * encoded.shape[0],
                beam_size=beam_size,
                max_length=self.model.max_length,
                suppress_tokens=self._suppressed,
                return_scores=True,
                return_no_speech_prob=True,
            )
        )

    def _passes(self, result: Any) -> bool:  # noqa: ANN401  # WhisperGenerationResult
        text = self._tokenizer.decode(result.sequences_ids[0])
        return not has_failed(text, logprob_of(result), result.no_speech_prob)

    def _encoded(self, spectrograms: Sequence[Spectrogram]) -> Any:  # noqa: ANN401  # StorageView
        """On a CPU one by one: eight at once take 15 % longer, since they outgrow its caches."""
        if self.model.model.device != "cpu" or len(spectrograms) == 1:
            return self.model.encode(np.stack(spectrograms))
        from ctranslate2 import StorageView  # noqa: PLC0415

        parts = [np.asarray(self.model.encode(each)) for each in spectrograms]
        return StorageView.from_array(np.concatenate(parts))

    def _some(
        self,
        encoded: Any,  # noqa: ANN401  # StorageView
        spectrograms: Sequence[Spectrogram],
        places: list[int],
    ) -> Any:  # noqa: ANN401  # StorageView
        """Those windows of a batch; a card hands nothing back in parts, and encodes them anew."""
        if self.model.model.device != "cpu":
            return self._encoded([spectrograms[i] for i in places])
        from ctranslate2 import StorageView  # noqa: PLC0415

        return StorageView.from_array(np.asarray(encoded)[places])

    def _segments(self, tokens: list[int], length_ms: int) -> list[dict[str, Any]]:
        """As faster-whisper cuts them at the times that were written; and the rest."""
        found, _, _ = self.model._split_segments_by_timestamps(  # noqa: SLF001  # no other way to it
            tokenizer=self._tokenizer,
            tokens=tokens,
            time_offset=0.0,
            segment_size=length_ms // FRAME_MS,
            segment_duration=length_ms / 1000,
            seek=0,
        )
        rest = tokens[sum(len(segment["tokens"]) for segment in found) :]
        if any(token < self._tokenizer.eot for token in rest):
            last = found[-1]["end"]
            found.append(
                {"seek": 0, "start": last, "end": max(last, length_ms / 1000), "tokens": rest}
            )
        return list(found)

    def _place_words(
        self,
        segments: list[list[dict[str, Any]]],
        encoded: Any,  # noqa: ANN401  # ctranslate2.StorageView
        lengths_ms: Sequence[int],
    ) -> None:
        self.model.add_word_timestamps(
            segments,
            self._tokenizer,
            encoded,
            [max(2, math.ceil(length_ms / FRAME_MS)) for length_ms in lengths_ms],
            _OPENING,
            _CLOSING,
            0.0,
        )

    def _raw(self, segments: list[dict[str, Any]], result: Any) -> list[RawSegment]:  # noqa: ANN401
        from faster_whisper.transcribe import (  # noqa: PLC0415
            Segment,
            Word,
            get_compression_ratio,
        )

        found = []
        for each in segments:
            text = self._tokenizer.decode(each["tokens"])
            made = Segment(
                id=0,
                seek=0,
                start=each["start"],
                end=each["end"],
                text=text,
                tokens=each["tokens"],
                avg_logprob=logprob_of(result),
                compression_ratio=get_compression_ratio(text) if text else 1.0,
                no_speech_prob=result.no_speech_prob,
                words=[Word(**word) for word in each["words"]] if "words" in each else None,
                temperature=0.0,
            )
            found.append(raw_segment(made, 0))
        return [each for each in found if each is not None]

    @cached_property
    def _tokenizer(self) -> Any:  # noqa: ANN401
        from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415

        return Tokenizer(
            self.model.hf_tokenizer,
            self.model.model.is_multilingual,
            task=self.options.task,
            language=self.language,
        )

    @cached_property
    def _suppressed(self) -> list[int]:
        from faster_whisper.transcribe import get_suppressed_tokens  # noqa: PLC0415

        return list(get_suppressed_tokens(self._tokenizer, [-1]))

    @cached_property
    def _prompt(self) -> list[int]:
        before = (self.options.initial_prompt or "").strip()
        return list(
            self.model.get_prompt(
                self._tokenizer,
                self._tokenizer.encode(f" {before}") if before else [],
                hotwords=self.options.hotwords or None,
            )
        )


_OPENING = "\"'“¿([{-"  # faster-whisper's own defaults: marks that belong to the word after
_CLOSING = "\"'.。,，!！?？:：”)]}、"
