"""With which options a transcript was made: known of a done recording without another read."""

import json
import sys
from dataclasses import dataclass

from gpu_job.contract import JobOptions

from .records import CostFacts, fingerprint
from .transcript import revision_of

NOTHING_SAID = ""  # of a recording in which nobody speaks: no option would change that


def made_with(options: JobOptions, source_channels: int, audio_streams: int) -> str:
    """A digest of the wished options, without `channels` and `track` where there is but one."""
    told = options.model_dump(mode="json", exclude_defaults=True)
    if source_channels < 2:  # noqa: PLR2004  # mono
        told.pop("channels", None)
    if audio_streams < 2:  # noqa: PLR2004  # one sound
        told.pop("track", None)
    return fingerprint(told, revision_of(options))


@dataclass(frozen=True, slots=True)
class Made:
    """How a done recording was made; small, since a survey holds a hundred thousand of them.

    made_with: None where its job alone tells (outdated.py). own: the recording's own wishes, JSON.
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


def made_of_facts(facts: CostFacts) -> Made:
    """What of a recording's last record tells how it was made."""
    kept = facts.made_with
    return Made(
        model=sys.intern(facts.model),
        revision=sys.intern(facts.model_revision),
        toy=facts.toy,
        made_with=kept if kept is None else sys.intern(kept),
        own=sys.intern(json.dumps(facts.own_wishes, sort_keys=True)),
        audio_ms=round(facts.audio_seconds * 1000),
        speech_ms=facts.speech_ms,
        audio_bytes=facts.audio_bytes,
        source_channels=facts.source_channels,
        audio_streams=facts.audio_streams,
    )
