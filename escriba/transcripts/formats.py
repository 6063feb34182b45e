"""Renders a transcript in each of its formats."""

from collections.abc import Callable, Iterable
from functools import cache

from escriba.model_names import TOY_NOTICE

from .csv_tables import to_csv, to_tsv
from .cues import Cue, make_cues
from .diarized import DiarizedTranscript, dumps
from .docx_file import to_docx
from .plain_text import to_text
from .render_options import FORMATS, RenderOptions
from .rttm import to_rttm
from .speakers import SPEAKER_UNKNOWN
from .subtitles import to_srt, to_vtt


def files_of(
    transcript: DiarizedTranscript,
    render_options: RenderOptions,
    formats: Iterable[str] | None = None,
) -> dict[str, bytes]:
    """The content of each file by its name; `formats` overrides those of the render options."""
    wanted = render_options.formats if formats is None else formats
    writers = _writers(transcript, render_options)
    return {FORMATS[name]: _encoded(writers[name]()) for name in wanted}


def names_speakers(transcript: DiarizedTranscript) -> bool:
    """Whether the transcript has speakers; with DIARIZER=none it has none."""
    return bool(transcript.turns) or any(
        segment.speaker != SPEAKER_UNKNOWN for segment in transcript.segments
    )


def _writers(
    transcript: DiarizedTranscript, render_options: RenderOptions
) -> dict[str, Callable[[], str | bytes]]:
    has_speakers, segments = names_speakers(transcript), transcript.segments

    @cache  # 0.25 s of CPU per hour of speech, shared by SRT and WebVTT
    def cues(*, labels: bool) -> list[Cue]:
        return make_cues(segments, transcript.language, labels=labels, rules=render_options)

    labels = has_speakers and render_options.subtitle_speakers == "changes"
    return {
        "txt": lambda: _toy_notice(transcript) + to_text(segments, speakers=has_speakers),
        "srt": lambda: to_srt(cues(labels=labels)),
        "vtt": lambda: to_vtt(
            cues(labels=False), voices=has_speakers, highlight=render_options.subtitle_highlight
        ),
        "tsv": lambda: to_tsv(segments),
        "csv": lambda: to_csv(segments, speakers=has_speakers),
        "docx": lambda: to_docx(transcript, speakers=has_speakers, notes=_notes(transcript)),
        "rttm": lambda: to_rttm(transcript.recording, transcript.turns),
        "json": lambda: dumps(transcript),
    }


def _encoded(file: str | bytes) -> bytes:
    return file.encode() if isinstance(file, str) else file


def _toy_notice(transcript: DiarizedTranscript) -> str:
    return f"{TOY_NOTICE}\n\n" if transcript.toy else ""


def _notes(transcript: DiarizedTranscript) -> list[str]:
    """Notes for readers: the warning about the toy model, and the warnings of the recording."""
    toy = [TOY_NOTICE] if transcript.toy else []
    return [*toy, *(warning for warning in transcript.warnings if warning not in toy)]
