"""When each word of a reference is said: the model's own alignment of the text with its clip."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.speech_sets import RATE_HZ, Recording, Said
from bench.word_errors import normalized

FRAMES_A_SECOND = 100


@dataclass(frozen=True)
class Placed:
    """A word as it is compared, in the recording's time."""

    start_ms: int
    end_ms: int
    text: str
    language: str


def placed(model: Any, recording: Recording) -> list[Placed]:  # noqa: ANN401
    """Every word of the reference; a word that is two when compared is there twice."""
    return [word for said in recording.said for word in _placed(model, recording, said)]


def _placed(model: Any, recording: Recording, said: Said) -> list[Placed]:  # noqa: ANN401
    from faster_whisper.audio import pad_or_trim  # noqa: PLC0415
    from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415

    low, high = (ms * RATE_HZ // 1000 for ms in (said.start_ms, said.end_ms))
    sound = recording.sound[low:high].astype(np.float32) / 32768
    tokenizer = Tokenizer(
        model.hf_tokenizer, model.model.is_multilingual, "transcribe", recording.language
    )
    encoded = model.encode(pad_or_trim(model.feature_extractor(sound)))
    frames = min(3000, len(sound) * FRAMES_A_SECOND // RATE_HZ)
    words = model.find_alignment(tokenizer, [tokenizer.encode(f" {said.text}")], encoded, frames)[0]
    return [
        Placed(
            said.start_ms + round(word["start"] * 1000),
            said.start_ms + round(word["end"] * 1000),
            part,
            recording.language,
        )
        for word in _whole(words)
        for part in normalized(word["word"], recording.language)
    ]


def _whole(words: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Parts that have no blank before them belong to the word before."""
    whole: list[dict[str, Any]] = []
    for word in words:
        if whole and not word["word"].startswith(" "):
            last = whole[-1]
            whole[-1] = {**last, "word": last["word"] + word["word"], "end": word["end"]}
        else:
            whole.append(word)
    return whole
