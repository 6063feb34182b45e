"""The options that a transcript was made with, known from a done recording's last record."""

import json
import sys
from dataclasses import dataclass

from escriba.transcripts.render_options import RenderOptions
from gpu_job.contract import JobOptions

from .job_options import revision_of, words_alone
from .stage_records import CostFacts, fingerprint

NO_SPEECH = ""  # the digest of a recording without speech: no option changes its transcript


def made_with(options: JobOptions, source_channels: int, audio_streams: int) -> str:
    """A digest of the options, without `channels` and `track` where the file has only one."""
    fields = options.model_dump(mode="json", exclude_defaults=True)
    if source_channels < 2:  # noqa: PLR2004  # mono
        fields.pop("channels", None)
    if audio_streams < 2:  # noqa: PLR2004  # one track
        fields.pop("track", None)
    return fingerprint(fields, revision_of(options))


def words_made_with(options: JobOptions, source_channels: int, audio_streams: int) -> str:
    """The same for the words alone: with equal digests, only the speakers are computed again."""
    return made_with(words_alone(options), source_channels, audio_streams)


def written_with(render_options: RenderOptions) -> str:
    """A digest of the render options; a new setting at its default does not change it."""
    return fingerprint(render_options.model_dump(mode="json", exclude_defaults=True))


@dataclass(frozen=True, slots=True)
class Made:
    """How a done recording was made; small, since a survey holds a hundred thousand of them.

    made_with: None if only its job shows it (outdated.py). own: the recording's own overrides,
    as JSON. written_with: None if only its records show it (outdated_files.py). words_with: the
    digest of the words alone; None: written by an older version.
    """

    model: str
    revision: str
    toy: bool
    made_with: str | None
    own: str
    audio_ms: int
    speech_ms: int | None
    audio_bytes: int
    source_channels: int
    audio_streams: int
    written_with: str | None
    words_with: str | None = None


def made_of_facts(facts: CostFacts) -> Made:
    """How a recording was made, from its last record."""
    digest, written, words = facts.made_with, facts.written_with, facts.words_with
    return Made(
        model=sys.intern(facts.model),
        revision=sys.intern(facts.model_revision),
        toy=facts.toy,
        made_with=digest if digest is None else sys.intern(digest),
        own=sys.intern(json.dumps(facts.own_wishes, sort_keys=True)),
        audio_ms=round(facts.audio_seconds * 1000),
        speech_ms=facts.speech_ms,
        audio_bytes=facts.audio_bytes,
        source_channels=facts.source_channels,
        audio_streams=facts.audio_streams,
        written_with=written if written is None else sys.intern(written),
        words_with=words if words is None else sys.intern(words),
    )
