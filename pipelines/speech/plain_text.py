"""The transcript as a text to be read."""

from collections.abc import Iterable, Iterator

from gpu_job.contract.joins import between
from pipelines.speech.clock import text_time
from pipelines.speech.diarized import DiarizedSegment

PARAGRAPH_MS = 3_000  # chosen: after a longer silence a monologue gets a new paragraph


def to_text(segments: Iterable[DiarizedSegment], *, speakers: bool = True) -> str:
    """One paragraph for each turn, `[h:mm:ss] SPEAKER: text`, with an empty line between them.

    Args:
        segments: In time order, as a transcript has them.
        speakers: False leaves them out, where nobody was asked to find any.
    """
    return "\n".join(
        f"[{text_time(part[0].start_ms)}] {f'{part[0].speaker}: ' if speakers else ''}"
        f"{text_of_all(part)}\n"
        for part in paragraphs(segments)
    )


def paragraphs(segments: Iterable[DiarizedSegment]) -> Iterator[list[DiarizedSegment]]:
    """Segments of one speaker that follow one another without a long silence."""
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
    """What the segments say, in one line; with blanks between them where their script has such."""
    text = ""
    for segment in segments:
        joins = bool(segment.words) and segment.words[0].joins
        text += (between(text, segment.text, joins=joins) if text else "") + segment.text
    return " ".join(text.split())
