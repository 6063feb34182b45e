"""diarized_transcript: words × turns, and the files people came for. On the CPU, free to repeat."""

import time

from gpu_job.contract import JobResult
from pipelines.looks import FORMATS, Look
from pipelines.speech.diarized import DiarizedTranscript
from pipelines.speech.formats import files_of
from pipelines.speech.joining import diarize
from pipelines.speech.propositions import misplaced_times, words_without_speaker
from pipelines.speech.recording_warnings import NOBODY_SPEAKS, RecordingWarning, once
from resources.failures import RecordingError
from resources.gpu.job_folder import OTHER_CLOCK_MS

from .names import (
    DIARIZED_TRANSCRIPT,
    EVERY_WORD_HAS_A_SPEAKER,
    NOTHING_TO_WARN_OF,
    OPTIMIZED_AUDIO,
    TIMES_ARE_IN_ORDER,
    TRANSCRIPT,
)
from .progress import Checked, StageMade
from .records import DiarizedFacts, OptimizedAudioFacts, TranscriptFacts, stage_fingerprint
from .transcript import TRANSCRIPT_FILE, heard_by, marked, stale
from .warned import warnings_up_to
from .workshop import Desk

DIARIZED_FILE = FORMATS["json"]
_PREVIEW_LETTERS = 500


def diarized_transcript(desk: Desk) -> StageMade:
    """Join, format, write; diarized.json last."""
    since = time.perf_counter()
    said = desk.facts(TRANSCRIPT, TranscriptFacts)
    audio = desk.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    if audio.content_sha256 != said.content_sha256:
        raise stale(TRANSCRIPT)
    print_ = made_of(desk, said)
    warned = _warned(desk, said)
    reused = _stands(desk, print_, warned)
    if not reused:
        joined = _joined(desk, said, audio)
        told = tuple(dict.fromkeys(warning.message for warning in warned))
        joined = joined.model_copy(update={"warnings": told})
        outputs = _write(desk, joined)
        facts = DiarizedFacts(
            speakers=len(joined.speakers),
            segments=len(joined.segments),
            words=sum(speaker.words for speaker in joined.speakers),
            language=joined.language,
            words_without_speaker=words_without_speaker(joined),
            misplaced_times=misplaced_times(joined),
            warnings=warned,
        )
        desk.save(DIARIZED_TRANSCRIPT, print_, facts, outputs, time.perf_counter() - since)
    facts = desk.facts(DIARIZED_TRANSCRIPT, DiarizedFacts)
    return StageMade(
        DIARIZED_TRANSCRIPT,
        reused,
        time.perf_counter() - since,
        facts.model_dump(include={"speakers", "segments", "words", "language"}) | _preview(desk),
        checks=_checks(desk, facts),
        files=tuple(desk.recording.transcript_key(file) for file in _files(desk)),
    )


def _warned(desk: Desk, said: TranscriptFacts) -> tuple[RecordingWarning, ...]:
    """All that is known of the recording by now."""
    known = warnings_up_to(desk, DIARIZED_TRANSCRIPT)
    audio = desk.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    if abs(audio.audio_ms - said.audio_ms) >= OTHER_CLOCK_MS:
        known = once((*known, _older_clock(said.audio_ms, audio.audio_ms)))
    silent = RecordingWarning(code=NOBODY_SPEAKS, message="Nobody speaks in this recording.")
    return known if said.job else once((*known, silent))


def _older_clock(said_ms: int, audio_ms: int) -> RecordingWarning:
    """A transcript that stands is not bought again because its audio is decoded better now."""
    message = (
        f"The transcript is of audio that an older version decoded to {said_ms / 1000:.1f} s "
        f"instead of {audio_ms / 1000:.1f} s: its times are off. `escriba backfill --force` makes "
        "it anew, at its price."
    )
    return RecordingWarning(code="times_of_an_older_version", message=message)


def _stands(desk: Desk, print_: str, warned: tuple[RecordingWarning, ...]) -> bool:
    stands = desk.stands(DIARIZED_TRANSCRIPT, print_)
    return stands and desk.facts(DIARIZED_TRANSCRIPT, DiarizedFacts).warnings == warned


def _preview(desk: Desk) -> dict[str, str]:
    """The beginning of the text, for those alone who asked for it: Dagster forgets nothing."""
    if not desk.options.preview:
        return {}
    text = desk.workshop.storage.read(desk.recording.transcript_key(FORMATS["txt"])) or b""
    return {"preview": text.decode()[:_PREVIEW_LETTERS]}


def _checks(desk: Desk, facts: DiarizedFacts) -> tuple[Checked, ...]:
    """None about speakers where nobody was asked to find any."""
    told = {warning.code: warning.message for warning in facts.warnings}
    unknown, misplaced = facts.words_without_speaker, facts.misplaced_times
    wanted = desk.options.job.diarizer != "none" or desk.options.channels == "separate"
    found = [Checked(NOTHING_TO_WARN_OF, not told, dict(told))]
    if unknown is not None and wanted:
        numbers = {"words_without_speaker": unknown}
        found.append(Checked(EVERY_WORD_HAS_A_SPEAKER, unknown == 0, numbers))
    if misplaced is not None:
        numbers = {"misplaced_times": misplaced}
        found.append(Checked(TIMES_ARE_IN_ORDER, misplaced == 0, numbers))
    return tuple(found)


def made_of(desk: Desk, said: TranscriptFacts) -> str:
    """The fingerprint of the files that this transcript gives.

    What nobody has set is no part of it: a new setting leaves all that stands as it is.
    """
    source = said.job or said.content_sha256
    look = desk.options.look
    told = [] if look == Look() else [look.model_dump(exclude_defaults=True)]
    return stage_fingerprint(DIARIZED_TRANSCRIPT, source, desk.recording.name, *told)


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
        marked(JobResult.model_validate_json(body), heard_by(desk, said)),
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
    )


def _files(desk: Desk) -> list[str]:
    return [FORMATS[name] for name in desk.options.look.formats]


def _write(desk: Desk, joined: DiarizedTranscript) -> dict[str, str]:
    """All files; those of an earlier look, which nobody makes any more, are removed."""
    storage, record = desk.workshop.storage, desk.record(DIARIZED_TRANSCRIPT)
    files = files_of(joined, desk.options.look)
    keys = {desk.recording.transcript_key(file): body for file, body in files.items()}
    for old in set(record.outputs if record else ()) - keys.keys():
        storage.delete(old)
    return {key: storage.write(key, body) for key, body in keys.items()}
