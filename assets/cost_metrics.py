"""cost_metrics: what a recording cost, all its attempts together; each is a row of the ledger."""

import asyncio
import time
from collections.abc import Mapping

from pipelines.billing.attempts import Attempt, LedgerRow, ledger_row, row_without_job
from pipelines.billing.prices import total
from pipelines.speech.recording_warnings import RecordingWarning
from pipelines.speech_models import DEMO_MODEL
from resources.gpu.job_folder import JobFolder, now

from .diarized_transcript import made_of
from .made_with import NOTHING_SAID, made_with
from .names import (
    COST_IS_KNOWN,
    COST_METRICS,
    DIARIZED_TRANSCRIPT,
    OPTIMIZED_AUDIO,
    RAW_AUDIO,
    TRANSCRIPT,
)
from .progress import Checked, StageMade
from .records import (
    CostFacts,
    OptimizedAudioFacts,
    RawAudio,
    TranscriptFacts,
    fingerprint,
    stage_fingerprint,
)
from .transcript import heard_by, is_as_wished, stale
from .warned import warnings_up_to
from .workshop import Desk


async def cost_metrics(desk: Desk) -> StageMade:
    """The attempts' rows were written as they ended; a recording without any gets its own."""
    since = time.perf_counter()
    raw = desk.facts(RAW_AUDIO, RawAudio)
    said = desk.facts(TRANSCRIPT, TranscriptFacts)
    _check_fresh(desk, raw, said)
    print_ = stage_fingerprint(COST_METRICS, said.job, said.own_attempts, raw.etag)
    warned = await asyncio.to_thread(warnings_up_to, desk, COST_METRICS)
    how = await asyncio.to_thread(_how, desk, raw, said)
    reused = await asyncio.to_thread(_stands, desk, print_, warned, how)
    if not reused:
        rows = await asyncio.to_thread(_rows, desk, said)
        if not rows:
            rows = [_without_job(desk, said)]
            await desk.workshop.ledger.add(rows[0])
        facts = _facts(desk, raw, said, rows, warned).model_copy(update=how)
        seconds = time.perf_counter() - since
        await asyncio.to_thread(desk.save, COST_METRICS, print_, facts, {}, seconds)
    facts = desk.facts(COST_METRICS, CostFacts)
    numbers = {
        "cost_usd": float(facts.cost_usd),
        "audio_seconds": facts.audio_seconds,
        "rtf": facts.rtf,
        "attempts": len(facts.attempt_ids),
    }
    known = not missing_attempts(said, facts)
    check = Checked(COST_IS_KNOWN, known, {"attempts": len(facts.attempt_ids)})
    return StageMade(COST_METRICS, reused, time.perf_counter() - since, numbers, (check,))


def _stands(
    desk: Desk, print_: str, warned: tuple[RecordingWarning, ...], how: Mapping[str, object]
) -> bool:
    if not desk.stands(COST_METRICS, print_):
        return False
    facts = desk.facts(COST_METRICS, CostFacts)
    return facts.warnings == warned and facts.model_dump(include=set(how)) == how


def _how(desk: Desk, raw: RawAudio, said: TranscriptFacts) -> dict[str, object]:
    """With what it was made. Of a transcript that other options gave, its job alone tells."""
    options, digest = desk.options, None
    if not said.job:
        digest = NOTHING_SAID
    elif is_as_wished(desk, said):
        digest = made_with(options.job, raw.channels, raw.audio_streams)
    model = heard_by(desk, said)
    return {
        "model": model,
        "toy": model == DEMO_MODEL,
        "made_with": digest,
        "own_wishes": options.own.model_dump(mode="json", exclude_none=True),
    }


def missing_attempts(said: TranscriptFacts, costs: CostFacts) -> set[str]:
    """Attempts of the transcript that the cost does not hold: open ones, or lost records."""
    return set(said.own_attempts) - set(costs.attempt_ids)


def _check_fresh(desk: Desk, raw: RawAudio, said: TranscriptFacts) -> None:
    """This record makes the file done: never on the strength of an older file's transcript."""
    if said.content_sha256 != raw.sha256:
        raise stale(TRANSCRIPT)
    diarized = desk.record(DIARIZED_TRANSCRIPT)
    if diarized is not None and diarized.fingerprint != made_of(desk, said):
        raise stale(DIARIZED_TRANSCRIPT)


def _rows(desk: Desk, said: TranscriptFacts) -> list[LedgerRow]:
    """The rows of the attempts that this recording began, failed ones too."""
    if not said.job:
        return []
    folder = JobFolder(desk.workshop.storage, desk.recording.tenant, said.job)
    attempts = [a for a in folder.attempts() if a.end and a.attempt_id in said.own_attempts]
    return [_row(desk, attempt) for attempt in attempts]


def _row(desk: Desk, attempt: Attempt) -> LedgerRow:
    prices = desk.workshop.prices
    return ledger_row(attempt, prices.tariff(attempt.backend, attempt.sku, attempt.created_at))


def _without_job(desk: Desk, said: TranscriptFacts) -> LedgerRow:
    # no ETag in it: the same bytes uploaded again are the same row, and count once
    same = fingerprint(desk.recording.name, said.content_sha256)
    return row_without_job(
        attempt_id=f"{desk.recording.tenant}:none:{same}",
        job_id=said.job,
        tenant=desk.recording.tenant,
        recording=desk.recording.name,
        audio_seconds=said.audio_ms / 1000,
        speech_seconds=said.speech_ms / 1000,
        now=now(),
    )


def _facts(
    desk: Desk,
    raw: RawAudio,
    said: TranscriptFacts,
    rows: list[LedgerRow],
    warned: tuple[RecordingWarning, ...],
) -> CostFacts:
    cost = total(row.cost_usd for row in rows)
    audio = desk.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    rtfs = [row.rtf for row in rows if row.rtf is not None]
    return CostFacts(
        source_etag=raw.etag,
        attempt_ids=tuple(row.attempt_id for row in rows),
        cost_usd=str(cost),
        audio_seconds=said.audio_ms / 1000,
        rtf=rtfs[-1] if rtfs else None,
        warnings=warned,
        model_revision=said.model_revision,
        speech_ms=said.speech_ms,
        audio_bytes=audio.size_bytes,
        source_channels=raw.channels,
        audio_streams=raw.audio_streams,
    )
