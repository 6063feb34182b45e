"""Decodes a batch of windows with Whisper: encoder, decoder, word times.

It works like faster-whisper's batched pipeline, with two changes that avoid lost words:
- **Text after the last timestamp is kept.** Text without a final timestamp means that the model did
  not finish the window. Sequential Whisper drops that text and decodes it again in the next window;
  the batched pipeline drops it permanently.
- **Windows are padded to 30 s with silence.** Whisper was trained on audio padded with silence;
  faster-whisper pads the spectrogram with zeros, which sounds like noise.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract import JobOptions
from .decode_retry import BEAM, has_failed, logprob_of
from .encoder import FRAME_MS, FRAMES, Encoder, Spectrogram, spectrogram_of
from .raw_segments import RawSegment, raw_segment

Check = Callable[[], None]  # raises where the work must stop


@dataclass(frozen=True)
class Decoder:
    """A loaded Whisper for one language, with a job's options."""

    model: Any  # faster_whisper.WhisperModel
    language: str
    options: JobOptions
    encoder: Encoder

    def spectrogram(self, sound: npt.NDArray[np.float32], frames: int = FRAMES) -> Spectrogram:
        """The encoder's input for at most 30 s of audio."""
        return spectrogram_of(self.model, sound, frames)

    def decode(
        self,
        spectrograms: Sequence[Spectrogram],
        lengths_ms: Sequence[int],
        check: Check = lambda: None,
    ) -> list[list[RawSegment]]:
        """The segments of each window, in window time.

        `check` is called before each retry, since a beam takes as long as the batch.

        Raises:
            RuntimeError: from CTranslate2, for example out of memory.
            Exception: whatever `check` raises.
        """
        encoded = self.encoder.encode(spectrograms)
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
        """Decode failed windows again by beam search, in groups that fit into memory."""
        failed = [i for i, result in enumerate(written) if not self._passes(result)]
        most = max(1, len(written) // BEAM)  # each takes the memory of BEAM windows
        for low in range(0, len(failed), most):
            check()
            some = failed[low : low + most]
            again = self._written(self.encoder.select(encoded, spectrograms, some), BEAM)
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

    def _segments(self, tokens: list[int], length_ms: int) -> list[dict[str, Any]]:
        """Split at timestamps as faster-whisper does, and keep the text after the last one."""
        found, _, _ = self.model._split_segments_by_timestamps(  # noqa: SLF001  # there is no public method
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


_OPENING = "\"'“¿([{-"  # faster-whisper's defaults: marks that belong to the next word
_CLOSING = "\"'.。,，!！?？:：”)]}、"
