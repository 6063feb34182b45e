"""Merges words and speaker turns into the diarized transcript."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from escriba.recording_warnings import warnings_of_job
from gpu_job.contract import Channels, JobResult, SpeechRegion, Turn, Word
from gpu_job.contract.word_joins import text_of, units

from .diarized import DiarizedSegment, DiarizedTranscript, DiarizedWord, RemovedWords, SpeakerTotal
from .removed_words import removed_words
from .speaker_islands import smooth_speaker_labels
from .speakers import SPEAKER_UNKNOWN, assign_speakers

WordGroups = Sequence[Sequence[Word]]
SpeakersOf = Callable[[WordGroups], list[str]]  # the label of each word of all groups


def diarize(
    result: JobResult,
    *,
    recording: str,
    audio_ms: int,
    regions: Sequence[SpeechRegion],
    channels: Channels = "mixed",
) -> DiarizedTranscript:
    """The diarized transcript of a job; a segment ends where the speaker changes.

    With separate channels each channel is a speaker (SPEAKER_00 for channel 0): the turns come from
    the speech regions, whatever a diarizer found. Words of blanks alone are dropped. Each word gets
    the speaker that `assign_speakers` finds, among the exclusive turns if the diarizer gave any;
    `smooth_speaker_labels` then smooths the labels, and joined words ("levá" and "-lo") stay
    together. Words that the worker removed are in `removed`, with their speaker; of the other
    warnings the transcript keeps the messages.

    Args:
        result: The result of the worker.
        recording: Name of the recording, kept in the file.
        audio_ms: Length of the recording.
        regions: Speech regions of the channels, from the request.
        channels: How channels are used, from the request.
    """
    turns = _in_order(_channel_turns(regions) if channels == "separate" else result.turns)
    segments = [[word for word in part.words if word.text.strip()] for part in result.segments]
    speakers_of = _who_spoke(channels, result.exclusive_turns or turns, turns)
    assigned = _with_speakers(segments, speakers_of(segments))
    return DiarizedTranscript(
        recording=recording,
        language=result.language,
        language_probability=result.language_probability,
        model_revision=result.model_revision,
        audio_ms=audio_ms,
        speech_ms=_covered_ms((region.start_ms, region.end_ms) for region in regions),
        speakers=_totals(assigned, turns),
        segments=assigned,
        turns=turns,
        warnings=tuple(warning.message for warning in warnings_of_job(result.warnings)),
        removed=tuple(_removed(result, speakers_of)),
        model=result.model,
        weights=result.weights,
        toy=result.toy,
        diarizer=result.diarizer,
        word_times=result.word_times,
    )


def _in_order(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    return tuple(sorted(turns, key=lambda turn: (turn.start_ms, turn.end_ms, turn.speaker)))


def _who_spoke(channels: Channels, exclusive: Sequence[Turn], turns: Sequence[Turn]) -> SpeakersOf:
    """Assigns speakers by channel, or by turns; `exclusive` turns never overlap."""

    def by_channel(groups: WordGroups) -> list[str]:
        return [_channel_speaker(word.channel) for group in groups for word in group]

    def by_turns(groups: WordGroups) -> list[str]:
        return _labels(groups, exclusive, turns)

    return by_channel if channels == "separate" else by_turns


def _removed(result: JobResult, speakers_of: SpeakersOf) -> Iterator[RemovedWords]:
    for warning, words in removed_words(result):
        yield RemovedWords(
            start_ms=warning.start_ms,
            end_ms=warning.end_ms,
            text=warning.text,
            reason=warning.code,
            words=tuple(map(_word, words, speakers_of([words]))),
            evidence=warning.evidence,
        )


def _labels(groups: WordGroups, exclusive: Sequence[Turn], turns: Sequence[Turn]) -> list[str]:
    """The speaker of each word; words that must stay together get one speaker."""
    joined = [unit for group in groups for unit in units(group)]
    words = [_as_one_word(unit) for unit in joined]
    labels = smooth_speaker_labels(words, assign_speakers(words, exclusive), turns)
    return [label for label, unit in zip(labels, joined, strict=True) for _ in unit]


def _as_one_word(unit: Sequence[Word]) -> Word:
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


def _with_speakers(groups: WordGroups, labels: Sequence[str]) -> tuple[DiarizedSegment, ...]:
    """Segments in time order, split where the speaker changes; `labels` has one per word."""
    label = iter(labels)
    segments = [
        _segment(speaker, [word for _, word in run])
        for group in groups
        for speaker, run in groupby([(next(label), word) for word in group], itemgetter(0))
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
    word_counts = Counter(word.speaker for word in words)
    spans: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for turn in turns:
        spans[turn.speaker].append((turn.start_ms, turn.end_ms))
    for word in words:
        if word.speaker == SPEAKER_UNKNOWN:
            spans[SPEAKER_UNKNOWN].append((word.start_ms, word.end_ms))
    return tuple(
        SpeakerTotal(label=label, speaking_ms=_covered_ms(spans[label]), words=word_counts[label])
        for label in sorted(spans.keys() | word_counts.keys())
    )


def _covered_ms(spans: Iterable[tuple[int, int]]) -> int:
    """Length of the union of the spans, each (start, end) in ms."""
    covered = reached = 0
    for start_ms, end_ms in sorted(spans):
        covered += max(0, end_ms - max(start_ms, reached))
        reached = max(reached, end_ms)
    return covered
