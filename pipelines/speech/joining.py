"""Words and turns become the diarized transcript."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from gpu_job.contract import Channels, JobResult, SpeechRegion, Turn, Word
from gpu_job.contract.joins import text_of, units
from pipelines.speech.diarized import (
    DiarizedSegment,
    DiarizedTranscript,
    DiarizedWord,
    RemovedWords,
    SpeakerTotal,
)
from pipelines.speech.recording_warnings import warnings_of_job
from pipelines.speech.restoring import removed_words
from pipelines.speech.speakers import SPEAKER_UNKNOWN, assign_speakers


def diarize(
    result: JobResult,
    *,
    recording: str,
    audio_ms: int,
    regions: Sequence[SpeechRegion],
    channels: Channels = "mixed",
) -> DiarizedTranscript:
    """Join words and turns; a segment ends where the speaker changes.

    With separate channels the channel is the speaker (SPEAKER_00 for channel 0): the turns come
    from the speech regions, whatever a diarizer said. Words that hold nothing but blanks are left
    out. Nothing is smoothed: each word stands with the speaker that `assign_speakers` finds, among
    the turns that never overlap where the diarizer gave such; what joins a word ("levá" and "-lo")
    goes where it goes. What the worker took out stands in
    `removed`, with its speaker; of the other warnings only the sentences come along.

    Args:
        result: What the worker heard.
        recording: Its name, kept in the file.
        audio_ms: Length of the recording.
        regions: Where its channels hold speech, as the request had them.
        channels: As the request had it.
    """
    turns = _channel_turns(regions) if channels == "separate" else result.turns
    turns = tuple(sorted(turns, key=lambda turn: (turn.start_ms, turn.end_ms, turn.speaker)))
    segments = [[word for word in part.words if word.text.strip()] for part in result.segments]

    def speakers_of(pieces: Sequence[Sequence[Word]]) -> Sequence[str]:
        if channels == "separate":
            return [_channel_speaker(word.channel) for piece in pieces for word in piece]
        return _assigned(pieces, result.exclusive_turns or turns)

    spoken = _with_speakers(segments, speakers_of(segments))
    return DiarizedTranscript(
        recording=recording,
        language=result.language,
        language_probability=result.language_probability,
        model_revision=result.model_revision,
        audio_ms=audio_ms,
        speech_ms=_covered_ms((region.start_ms, region.end_ms) for region in regions),
        speakers=_totals(spoken, turns),
        segments=spoken,
        turns=turns,
        warnings=tuple(warning.message for warning in warnings_of_job(result.warnings)),
        removed=tuple(_removed(result, speakers_of)),
        model=result.model,
        weights=result.weights,
        toy=result.toy,
    )


def _removed(
    result: JobResult, speakers_of: Callable[[Sequence[Sequence[Word]]], Sequence[str]]
) -> Iterator[RemovedWords]:
    for warning, words in removed_words(result):
        yield RemovedWords(
            start_ms=warning.start_ms,
            end_ms=warning.end_ms,
            text=warning.text,
            reason=warning.code,
            words=tuple(map(_word, words, speakers_of([words]))),
            evidence=warning.evidence,
        )


def _assigned(pieces: Sequence[Sequence[Word]], turns: Sequence[Turn]) -> list[str]:
    """The speaker of each word; those that must not be parted are asked about as one."""
    parts = [unit for piece in pieces for unit in units(piece)]
    labels = assign_speakers([_whole(unit) for unit in parts], turns)
    return [label for label, unit in zip(labels, parts, strict=True) for _ in unit]


def _whole(unit: Sequence[Word]) -> Word:
    first, last = unit[0], unit[-1]
    if first is last:
        return first
    return first.model_copy(update={"end_ms": last.end_ms, "text": text_of(unit)})


def _channel_speaker(channel: int) -> str:
    return f"SPEAKER_{channel:02d}"


def _channel_turns(regions: Sequence[SpeechRegion]) -> tuple[Turn, ...]:
    return tuple(
        Turn(
            start_ms=region.start_ms,
            end_ms=region.end_ms,
            speaker=_channel_speaker(region.channel),
        )
        for region in regions
    )


def _with_speakers(
    pieces: Sequence[Sequence[Word]], labels: Sequence[str]
) -> tuple[DiarizedSegment, ...]:
    """The pieces, cut where the speaker changes, in time order; `labels` has one for each word."""
    label = iter(labels)
    segments = [
        _segment(speaker, [word for _, word in run])
        for piece in pieces
        for speaker, run in groupby([(next(label), word) for word in piece], itemgetter(0))
    ]
    return tuple(sorted(segments, key=lambda part: (part.start_ms, part.end_ms, part.speaker)))


def _segment(speaker: str, words: Sequence[Word]) -> DiarizedSegment:
    return DiarizedSegment(
        start_ms=min(word.start_ms for word in words),
        end_ms=max(word.end_ms for word in words),
        speaker=speaker,
        text=text_of(words),
        words=tuple(_word(word, speaker) for word in words),
    )


def _word(word: Word, speaker: str) -> DiarizedWord:
    return DiarizedWord(
        start_ms=word.start_ms,
        end_ms=word.end_ms,
        text=word.text,
        probability=word.probability,
        speaker=speaker,
        joins=word.joins,
    )


def _totals(segments: Sequence[DiarizedSegment], turns: Sequence[Turn]) -> tuple[SpeakerTotal, ...]:
    words = [word for segment in segments for word in segment.words]
    spoken = Counter(word.speaker for word in words)
    spans: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for turn in turns:
        spans[turn.speaker].append((turn.start_ms, turn.end_ms))
    for word in words:
        if word.speaker == SPEAKER_UNKNOWN:
            spans[SPEAKER_UNKNOWN].append((word.start_ms, word.end_ms))
    return tuple(
        SpeakerTotal(label=label, speaking_ms=_covered_ms(spans[label]), words=spoken[label])
        for label in sorted(spans.keys() | spoken.keys())
    )


def _covered_ms(spans: Iterable[tuple[int, int]]) -> int:
    """Length of the union of the spans, each (start, end) in ms."""
    covered = reached = 0
    for start_ms, end_ms in sorted(spans):
        covered += max(0, end_ms - max(start_ms, reached))
        reached = max(reached, end_ms)
    return covered
