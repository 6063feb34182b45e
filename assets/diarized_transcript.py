"""diarized_transcript: words × turns, and the files people came for. On the CPU, free to repeat."""

import time

from gpu_job.contract import JobResult
from pipelines.speech.cues import make_cues
from pipelines.speech.diarized import DiarizedTranscript, dumps
from pipelines.speech.joining import diarize
from pipelines.speech.plain_text import to_text
from pipelines.speech.propositions import misplaced_times, words_without_speaker
from pipelines.speech.rttm import to_rttm
from pipelines.speech.subtitles import to_srt, to_vtt
from pipelines.speech_models import TOY_NOTICE
from resources.failures import RecordingError

from .names import (
    DIARIZED_TRANSCRIPT,
    EVERY_WORD_HAS_A_SPEAKER,
    OPTIMIZED_AUDIO,
    TIMES_ARE_IN_ORDER,
    TRANSCRIPT,
)
from .progress import Checked, StageMade
from .records import DiarizedFacts, OptimizedAudioFacts, TranscriptFacts, stage_fingerprint
from .transcript import TRANSCRIPT_FILE, marked, stale
from .workshop import Desk

DIARIZED_FILE = "diarized.json"
_PREVIEW_LETTERS = 500
FORMATS = {"txt": "transcript.txt", "srt": "transcript.srt", "vtt": "transcript.vtt"}
FORMATS |= {"rttm": "turns.rttm", "json": DIARIZED_FILE}


def diarized_transcript(desk: Desk) -> StageMade:
    """Join, format, write; diarized.json last."""
    since = time.perf_counter()
    said = desk.facts(TRANSCRIPT, TranscriptFacts)
    audio = desk.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    if audio.content_sha256 != said.content_sha256:
        raise stale(TRANSCRIPT)
    print_ = made_of(desk, said)
    reused = desk.stands(DIARIZED_TRANSCRIPT, print_)
    if not reused:
        joined = _joined(desk, said, audio)
        outputs = _write(desk, joined)
        facts = DiarizedFacts(
            speakers=len(joined.speakers),
            segments=len(joined.segments),
            words=sum(speaker.words for speaker in joined.speakers),
            language=joined.language,
            words_without_speaker=words_without_speaker(joined),
            misplaced_times=misplaced_times(joined),
        )
        desk.save(DIARIZED_TRANSCRIPT, print_, facts, outputs, time.perf_counter() - since)
    facts = desk.facts(DIARIZED_TRANSCRIPT, DiarizedFacts)
    return StageMade(
        DIARIZED_TRANSCRIPT,
        reused,
        time.perf_counter() - since,
        facts.model_dump(include={"speakers", "segments", "words", "language"}) | _preview(desk),
        checks=_checks(desk, facts),
        files=tuple(desk.recording.transcript_key(file) for file in FORMATS.values()),
    )


def _preview(desk: Desk) -> dict[str, str]:
    """The beginning of the text, for those alone who asked for it: Dagster forgets nothing."""
    if not desk.options.preview:
        return {}
    text = desk.workshop.storage.read(desk.recording.transcript_key(FORMATS["txt"])) or b""
    return {"preview": text.decode()[:_PREVIEW_LETTERS]}


def _checks(desk: Desk, facts: DiarizedFacts) -> tuple[Checked, ...]:
    """None about speakers where nobody was asked to find any."""
    unknown, misplaced = facts.words_without_speaker, facts.misplaced_times
    wanted = desk.options.job.diarizer != "none" or desk.options.channels == "separate"
    found = []
    if unknown is not None and wanted:
        numbers = {"words_without_speaker": unknown}
        found.append(Checked(EVERY_WORD_HAS_A_SPEAKER, unknown == 0, numbers))
    if misplaced is not None:
        numbers = {"misplaced_times": misplaced}
        found.append(Checked(TIMES_ARE_IN_ORDER, misplaced == 0, numbers))
    return tuple(found)


def made_of(desk: Desk, said: TranscriptFacts) -> str:
    """The fingerprint of the files that this transcript gives."""
    source = said.job or said.content_sha256
    return stage_fingerprint(DIARIZED_TRANSCRIPT, source, desk.recording.name)


def _joined(desk: Desk, said: TranscriptFacts, audio: OptimizedAudioFacts) -> DiarizedTranscript:
    if not said.job:
        return _silent(desk, audio)
    body = desk.workshop.storage.read(desk.recording.transcript_key(TRANSCRIPT_FILE))
    if body is None:
        raise RecordingError(
            "upstream_missing",
            f"{TRANSCRIPT_FILE} is gone.",
            f"Materialize {TRANSCRIPT} too.",
            permanent=False,
        )
    return diarize(
        marked(JobResult.model_validate_json(body), desk.options.job.model),
        recording=desk.recording.name,
        audio_ms=audio.audio_ms,
        regions=audio.regions,
        channels="separate" if audio.channels > 1 else "mixed",
    )


def _silent(desk: Desk, audio: OptimizedAudioFacts) -> DiarizedTranscript:
    return DiarizedTranscript(
        recording=desk.recording.name,
        language="",
        language_probability=0.0,
        model_revision="",
        audio_ms=audio.audio_ms,
        speech_ms=0,
        speakers=(),
        segments=(),
        turns=(),
        warnings=("nobody speaks in this recording",),
    )


def _write(desk: Desk, joined: DiarizedTranscript) -> dict[str, str]:
    cues = make_cues(joined.segments)
    texts = {
        FORMATS["txt"]: (f"{TOY_NOTICE}\n\n" if joined.toy else "") + to_text(joined.segments),
        FORMATS["srt"]: to_srt(cues),
        FORMATS["vtt"]: to_vtt(cues),
        FORMATS["rttm"]: to_rttm(desk.recording.name, joined.turns),
        DIARIZED_FILE: dumps(joined),
    }
    keys = {desk.recording.transcript_key(file): text for file, text in texts.items()}
    return {key: desk.workshop.storage.write(key, text.encode()) for key, text in keys.items()}
