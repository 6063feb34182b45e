"""The fingerprint of a recording's files: the transcript and render options they derive from."""

from escriba.recordings import Recording
from escriba.stages import DIARIZED_TRANSCRIPT
from escriba.transcripts.render_options import RenderOptions

from .stage_records import (
    StageRecord,
    TranscriptFacts,
    fingerprints_of_all_versions,
    stage_fingerprint,
)


def files_fingerprint(
    recording: Recording, transcript: TranscriptFacts, options: RenderOptions
) -> str:
    """The fingerprint of the files of this transcript with these options."""
    return stage_fingerprint(DIARIZED_TRANSCRIPT, *_parts(recording, transcript, options))


def is_rendered_with(
    record: StageRecord, recording: Recording, transcript: TranscriptFacts, options: RenderOptions
) -> bool:
    """Whether the files have this transcript and these options, whichever version wrote them."""
    parts = _parts(recording, transcript, options)
    return record.fingerprint in fingerprints_of_all_versions(DIARIZED_TRANSCRIPT, *parts)


def _parts(
    recording: Recording, transcript: TranscriptFacts, options: RenderOptions
) -> list[object]:
    """A setting at its default is left out, so that a new setting does not render files again."""
    changed = [] if options == RenderOptions() else [options.model_dump(exclude_defaults=True)]
    job = transcript.job or transcript.content_sha256
    speakers = [transcript.speakers_job] if transcript.speakers_job else []
    return [job, recording.name, *speakers, *changed]
