"""The transcript as a Word document, to be read, corrected and printed."""

import io
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from pipelines.speech.clock import text_time
from pipelines.speech.diarized import DiarizedSegment, DiarizedTranscript
from pipelines.speech.plain_text import paragraphs, text_of_all

_GREY = "808080"
_UNSEEN = ("Cc", "Cs", "Cn")  # XML 1.0 bears no control characters and no halves of pairs


def to_docx(
    transcript: DiarizedTranscript, *, speakers: bool = True, notes: Sequence[str] = ()
) -> bytes:
    """A title, a line of facts, and a paragraph for each turn with its time and speaker.

    Args:
        transcript: What was said.
        speakers: False leaves them out, where nobody was asked to find any.
        notes: Lines for the top, such as what to know of the model.
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
        _turn(body._p.get_or_add_pPr(), "w:bidi")  # noqa: SLF001  # python-docx has no name for it
        run.font.rtl = True


def _prepare(document: Any, transcript: DiarizedTranscript) -> None:  # noqa: ANN401
    """The document's own data, without those of the library's template."""
    told = document.core_properties
    told.title, told.author, told.comments = _clean(transcript.recording)[:255], "", ""
    told.language = transcript.language
    for name in ("created", "modified"):
        for dated in told._element.findall(f"{{http://purl.org/dc/terms/}}{name}"):  # noqa: SLF001
            told._element.remove(dated)  # noqa: SLF001
    if transcript.language:  # else a speller marks every word of another language
        fonts = document.styles["Normal"].element.get_or_add_rPr()
        language = _turn(fonts, "w:lang")
        for attribute in ("w:val", "w:eastAsia", "w:bidi"):
            language.set(_docx("oxml.ns").qn(attribute), transcript.language)


def _facts(transcript: DiarizedTranscript) -> str:
    people = sum(speaker.words > 0 for speaker in transcript.speakers)
    told = [text_time(transcript.audio_ms), transcript.language, transcript.model_revision]
    told.append(f"speakers: {people}" if transcript.turns else "")
    return " · ".join(fact for fact in told if fact)


def _turn(properties: Any, name: str) -> Any:  # noqa: ANN401
    """A new element at the end of some properties."""
    element = _docx("oxml").OxmlElement(name)
    properties.append(element)
    return element


def _is_right_to_left(text: str) -> bool:
    directions = [unicodedata.bidirectional(sign) for sign in text[:200]]
    return sum(each in {"R", "AL"} for each in directions) > sum(each == "L" for each in directions)


def _clean(text: str) -> str:
    return "".join(sign for sign in text if unicodedata.category(sign) not in _UNSEEN)


def _blank() -> Any:  # noqa: ANN401
    return _docx("api").Document()


@cache
def _grey() -> Any:  # noqa: ANN401
    return _docx("shared").RGBColor.from_string(_GREY)


@cache
def _docx(room: str) -> Any:  # noqa: ANN401
    """A module of python-docx, loaded by whoever writes a document: it takes 100 ms."""
    return import_module(f"docx.{room}")
