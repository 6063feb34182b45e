"""diarized_transcript: words with speakers, and the output files. On the CPU, free to repeat."""

import time

from escriba.errors import RecordingError
from escriba.recording_warnings import NOBODY_SPEAKS, RecordingWarning, once
from escriba.stages import (
    DIARIZED_TRANSCRIPT,
    EVERY_WORD_HAS_A_SPEAKER,
    NOTHING_TO_WARN_OF,
    OPTIMIZED_AUDIO,
    TIMES_ARE_IN_ORDER,
    TRANSCRIPT,
)
from escriba.transcripts.diarized import DiarizedTranscript
from escriba.transcripts.formats import files_of
from escriba.transcripts.merge_speakers import diarize
from escriba.transcripts.render_options import FORMATS
from escriba.transcripts.transcript_checks import misplaced_times, words_without_speaker
from gpu_job.contract import JobResult
from gpu_job.contract.documents import RESULTS
from intake.rendered_files import files_fingerprint
from intake.stage_records import (
    DiarizedFacts,
    OptimizedAudioFacts,
    TranscriptFacts,
)
from resources.gpu.job_folder import LENGTH_TOLERANCE_MS
from resources.storage.read_documents import read_stored

from .progress import Checked, StageMade
from .run_context import RecordingContext
from .stage_warnings import warnings_up_to
from .transcript import TRANSCRIPT_FILE, model_of_transcript, stale_error, with_model

_PREVIEW_LETTERS = 500


def diarized_transcript(context: RecordingContext) -> StageMade:
    """Assign speakers, format and write the files; diarized.json last."""
    since = time.perf_counter()
    transcript = context.facts(TRANSCRIPT, TranscriptFacts)
    audio = context.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    if audio.content_sha256 != transcript.content_sha256:
        raise stale_error(TRANSCRIPT)
    fingerprint = rendered_fingerprint(context, transcript)
    warnings = _warnings(context, transcript)
    reused = _is_up_to_date(context, fingerprint, warnings)
    if not reused:
        diarized = _diarized(context, transcript, audio)
        messages = tuple(dict.fromkeys(warning.message for warning in warnings))
        diarized = diarized.model_copy(update={"warnings": messages})
        outputs = _write(context, diarized)
        facts = _facts(diarized, warnings)
        context.save(DIARIZED_TRANSCRIPT, fingerprint, facts, outputs, time.perf_counter() - since)
    return _made(context, time.perf_counter() - since, reused=reused)


def _made(context: RecordingContext, seconds: float, *, reused: bool) -> StageMade:
    facts = context.facts(DIARIZED_TRANSCRIPT, DiarizedFacts)
    return StageMade(
        DIARIZED_TRANSCRIPT,
        reused,
        seconds,
        facts.model_dump(include={"speakers", "segments", "words", "language"}) | _preview(context),
        checks=_checks(context, facts),
        files=tuple(context.recording.transcript_key(file) for file in _files(context)),
    )


def _facts(diarized: DiarizedTranscript, warnings: tuple[RecordingWarning, ...]) -> DiarizedFacts:
    return DiarizedFacts(
        speakers=len(diarized.speakers),
        segments=len(diarized.segments),
        words=sum(speaker.words for speaker in diarized.speakers),
        language=diarized.language,
        words_without_speaker=words_without_speaker(diarized),
        misplaced_times=misplaced_times(diarized),
        warnings=warnings,
    )


def _warnings(
    context: RecordingContext, transcript: TranscriptFacts
) -> tuple[RecordingWarning, ...]:
    """The warnings of all earlier stages and of this one."""
    known = warnings_up_to(context, DIARIZED_TRANSCRIPT)
    audio = context.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    if abs(audio.audio_ms - transcript.audio_ms) >= LENGTH_TOLERANCE_MS:
        known = once((*known, _older_clock(transcript.audio_ms, audio.audio_ms)))
    silent = RecordingWarning(code=NOBODY_SPEAKS, message="No speech was found in this recording.")
    return known if transcript.job else once((*known, silent))


def _older_clock(transcript_ms: int, audio_ms: int) -> RecordingWarning:
    """An existing transcript is not paid for again only because its audio is decoded better now."""
    message = (
        f"The transcript was made from audio that an older version decoded to "
        f"{transcript_ms / 1000:.1f} s instead of {audio_ms / 1000:.1f} s: its times are wrong. "
        "`escriba backfill --force` transcribes the recording again; this costs money."
    )
    return RecordingWarning(code="times_of_an_older_version", message=message)


def _is_up_to_date(
    context: RecordingContext, fingerprint: str, warnings: tuple[RecordingWarning, ...]
) -> bool:
    is_up_to_date = context.is_up_to_date(DIARIZED_TRANSCRIPT, fingerprint)
    return is_up_to_date and context.facts(DIARIZED_TRANSCRIPT, DiarizedFacts).warnings == warnings


def _preview(context: RecordingContext) -> dict[str, str]:
    """The start of the text, only if the option is set: Dagster keeps events permanently."""
    if not context.options.preview:
        return {}
    text = context.run_context.storage.read(context.recording.transcript_key(FORMATS["txt"])) or b""
    return {"preview": text.decode()[:_PREVIEW_LETTERS]}


def _checks(context: RecordingContext, facts: DiarizedFacts) -> tuple[Checked, ...]:
    """The checks of the files; without diarization there is none about speakers."""
    messages = {warning.code: warning.message for warning in facts.warnings}
    unknown, misplaced = facts.words_without_speaker, facts.misplaced_times
    finds_speakers = (
        context.options.job.diarizer != "none" or context.options.channels == "separate"
    )
    checks = [Checked(NOTHING_TO_WARN_OF, not messages, dict(messages))]
    if unknown is not None and finds_speakers:
        numbers = {"words_without_speaker": unknown}
        checks.append(Checked(EVERY_WORD_HAS_A_SPEAKER, unknown == 0, numbers))
    if misplaced is not None:
        numbers = {"misplaced_times": misplaced}
        checks.append(Checked(TIMES_ARE_IN_ORDER, misplaced == 0, numbers))
    return tuple(checks)


def rendered_fingerprint(context: RecordingContext, transcript: TranscriptFacts) -> str:
    """The fingerprint of the files of this transcript with the current options."""
    return files_fingerprint(context.recording, transcript, context.options.render_options)


def _diarized(
    context: RecordingContext, transcript: TranscriptFacts, audio: OptimizedAudioFacts
) -> DiarizedTranscript:
    if not transcript.job:
        return _silent(context, audio)
    key = context.recording.transcript_key(TRANSCRIPT_FILE)
    mend = f"Delete {key!r}; the next run writes it again from the result of its job."
    result = read_stored(context.run_context.storage, key, JobResult, RESULTS, mend=mend)
    if result is None:
        raise RecordingError(
            "upstream_missing",
            f"{TRANSCRIPT_FILE} is missing.",
            f"Materialize {TRANSCRIPT} too.",
            permanent=False,
        )
    return diarize(
        with_model(result, model_of_transcript(context, transcript)),
        recording=context.recording.name,
        audio_ms=audio.audio_ms,
        regions=audio.regions,
        channels="separate" if audio.channels > 1 else "mixed",
    )


def _silent(context: RecordingContext, audio: OptimizedAudioFacts) -> DiarizedTranscript:
    return DiarizedTranscript(
        recording=context.recording.name,
        language="",
        language_probability=0.0,
        model_revision="",
        audio_ms=audio.audio_ms,
        speech_ms=0,
        speakers=(),
        segments=(),
        turns=(),
    )


def _files(context: RecordingContext) -> list[str]:
    return [FORMATS[name] for name in context.options.render_options.formats]


def _write(context: RecordingContext, diarized: DiarizedTranscript) -> dict[str, str]:
    """Write all files, then delete files of formats that are no longer selected.

    A file that a user has edited is not deleted. Returns the ETags by key.
    """
    storage, record = context.run_context.storage, context.record(DIARIZED_TRANSCRIPT)
    files = files_of(diarized, context.options.render_options)
    keys = {context.recording.transcript_key(file): body for file, body in files.items()}
    written = {key: storage.write(key, body) for key, body in keys.items()}
    for key, etag in (record.outputs if record else {}).items():
        stored = storage.head(key) if key not in written else None
        if stored is not None and stored.etag == etag:
            storage.delete(key)
    return written
