"""A transcript in each of its formats."""

from collections.abc import Callable, Iterable
from functools import cache

from pipelines.looks import FORMATS, Look
from pipelines.speech.cues import Cue, make_cues
from pipelines.speech.diarized import DiarizedTranscript, dumps
from pipelines.speech.plain_text import to_text
from pipelines.speech.rttm import to_rttm
from pipelines.speech.speakers import SPEAKER_UNKNOWN
from pipelines.speech.subtitles import to_srt, to_vtt
from pipelines.speech.tables import to_csv, to_tsv
from pipelines.speech.word_file import to_docx
from pipelines.speech_models import TOY_NOTICE


def files_of(
    transcript: DiarizedTranscript, look: Look, formats: Iterable[str] | None = None
) -> dict[str, bytes]:
    """The bytes of each file, by its name; those of the look, or of these formats."""
    wanted = look.formats if formats is None else formats
    writers = _writers(transcript, look)
    return {FORMATS[name]: _encoded(writers[name]()) for name in wanted}


def names_speakers(transcript: DiarizedTranscript) -> bool:
    """Whether anybody has a name in it: with DIARIZER=none, nobody has one."""
    return bool(transcript.turns) or any(
        segment.speaker != SPEAKER_UNKNOWN for segment in transcript.segments
    )


def _writers(transcript: DiarizedTranscript, look: Look) -> dict[str, Callable[[], str | bytes]]:
    known, said = names_speakers(transcript), transcript.segments

    @cache  # 0.25 s of a CPU for an hour of talk, for SRT and WebVTT alike
    def cues(*, labels: bool) -> list[Cue]:
        return make_cues(said, transcript.language, labels=labels)

    labels = known and look.subtitle_speakers == "changes"
    return {
        "txt": lambda: _toy_notice(transcript) + to_text(said, speakers=known),
        "srt": lambda: to_srt(cues(labels=labels)),
        "vtt": lambda: to_vtt(cues(labels=False), voices=known, highlight=look.subtitle_highlight),
        "tsv": lambda: to_tsv(said),
        "csv": lambda: to_csv(said, speakers=known),
        "docx": lambda: to_docx(transcript, speakers=known, notes=_notes(transcript)),
        "rttm": lambda: to_rttm(transcript.recording, transcript.turns),
        "json": lambda: dumps(transcript),
    }


def _encoded(file: str | bytes) -> bytes:
    return file.encode() if isinstance(file, str) else file


def _toy_notice(transcript: DiarizedTranscript) -> str:
    return f"{TOY_NOTICE}\n\n" if transcript.toy else ""


def _notes(transcript: DiarizedTranscript) -> list[str]:
    """What readers should know of it, beside what was said."""
    toy = [TOY_NOTICE] if transcript.toy else []
    return [*toy, *(warning for warning in transcript.warnings if warning not in toy)]
