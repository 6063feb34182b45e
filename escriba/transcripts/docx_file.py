"""Transcripts as Word documents, to read, correct and print."""

import io
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from .diarized import DiarizedSegment, DiarizedTranscript
from .plain_text import paragraphs, text_of_all
from .timestamps import text_time

_GREY = "808080"
_UNSEEN = ("Cc", "Cs", "Cn")  # XML 1.0 allows neither control characters nor lone surrogates


def to_docx(
    transcript: DiarizedTranscript, *, speakers: bool = True, notes: Sequence[str] = ()
) -> bytes:
    """A title, a line of facts, and one paragraph per turn with its time and speaker.

    Args:
        transcript: The transcript.
        speakers: False omits the labels, for transcripts without diarization.
        notes: Lines below the title, such as a warning about the model.
    """
    document = _blank()
    _prepare(document, transcript)
    document.add_heading(_clean(transcript.recording), level=1)
    for line in (_facts(transcript), *notes):
        document.add_paragraph().add_run(_clean(line)).italic = True
    for part in paragraphs(transcript.segments):
        _add(document, part, speakers=speakers)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _add(document: Any, part: Sequence[DiarizedSegment], *, speakers: bool) -> None:  # noqa: ANN401
    text = _clean(text_of_all(part))
    head = document.add_paragraph()
    head.paragraph_format.keep_with_next = True
    head.paragraph_format.space_after = 0
    if speakers:
        head.add_run(_clean(part[0].speaker)).bold = True
        head.add_run("  ")
    head.add_run(text_time(part[0].start_ms)).font.color.rgb = _grey()
    body = document.add_paragraph()
    run = body.add_run(text)
    if _is_right_to_left(text):
        _add_property(body._p.get_or_add_pPr(), "w:bidi")  # noqa: SLF001  # python-docx has no public name for it
        run.font.rtl = True


def _prepare(document: Any, transcript: DiarizedTranscript) -> None:  # noqa: ANN401
    """Sets the metadata of the document in place of those of the library's template."""
    metadata = document.core_properties
    metadata.title, metadata.author, metadata.comments = _clean(transcript.recording)[:255], "", ""
    metadata.language = transcript.language
    for name in ("created", "modified"):
        for dated in metadata._element.findall(f"{{http://purl.org/dc/terms/}}{name}"):  # noqa: SLF001
            metadata._element.remove(dated)  # noqa: SLF001
    if transcript.language:  # else the spell checker marks every word of another language
        fonts = document.styles["Normal"].element.get_or_add_rPr()
        language = _add_property(fonts, "w:lang")
        for attribute in ("w:val", "w:eastAsia", "w:bidi"):
            language.set(_docx("oxml.ns").qn(attribute), transcript.language)


def _facts(transcript: DiarizedTranscript) -> str:
    people = sum(speaker.words > 0 for speaker in transcript.speakers)
    facts = [text_time(transcript.audio_ms), transcript.language, transcript.model_revision]
    facts.append(f"speakers: {people}" if transcript.turns else "")
    return " · ".join(fact for fact in facts if fact)


def _add_property(properties: Any, name: str) -> Any:  # noqa: ANN401
    """Appends a new element to the properties."""
    element = _docx("oxml").OxmlElement(name)
    properties.append(element)
    return element


def _is_right_to_left(text: str) -> bool:
    directions = [unicodedata.bidirectional(sign) for sign in text[:200]]
    return sum(d in {"R", "AL"} for d in directions) > sum(d == "L" for d in directions)


def _clean(text: str) -> str:
    return "".join(sign for sign in text if unicodedata.category(sign) not in _UNSEEN)


def _blank() -> Any:  # noqa: ANN401
    return _docx("api").Document()


@cache
def _grey() -> Any:  # noqa: ANN401
    return _docx("shared").RGBColor.from_string(_GREY)


@cache
def _docx(module: str) -> Any:  # noqa: ANN401
    """A module of python-docx, imported only when a document is written: it takes 100 ms."""
    return import_module(f"docx.{module}")
