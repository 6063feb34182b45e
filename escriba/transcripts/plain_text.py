"""Transcripts as plain text."""

from collections.abc import Iterable, Iterator

from gpu_job.contract.word_joins import between

from .diarized import DiarizedSegment
from .timestamps import text_time

PARAGRAPH_MS = 3_000  # chosen: a longer silence starts a new paragraph in a monologue


def to_text(segments: Iterable[DiarizedSegment], *, speakers: bool = True) -> str:
    """One paragraph per turn, `[h:mm:ss] SPEAKER: text`, separated by empty lines.

    Args:
        segments: Segments in time order.
        speakers: False omits the labels, for transcripts without diarization.
    """
    return "\n".join(
        f"[{text_time(part[0].start_ms)}] {f'{part[0].speaker}: ' if speakers else ''}"
        f"{text_of_all(part)}\n"
        for part in paragraphs(segments)
    )


def paragraphs(segments: Iterable[DiarizedSegment]) -> Iterator[list[DiarizedSegment]]:
    """Groups of consecutive segments of one speaker without a long silence."""
    part: list[DiarizedSegment] = []
    for segment in segments:
        if part and (
            segment.speaker != part[-1].speaker
            or segment.start_ms >= part[-1].end_ms + PARAGRAPH_MS
        ):
            yield part
            part = []
        part.append(segment)
    if part:
        yield part


def text_of_all(segments: Iterable[DiarizedSegment]) -> str:
    """The text of the segments in one line, with blanks between them if the script has blanks."""
    text = ""
    for segment in segments:
        joins = bool(segment.words) and segment.words[0].joins
        text += (between(text, segment.text, joins=joins) if text else "") + segment.text
    return " ".join(text.split())
