"""cost_metrics: the cost of a recording over all its attempts; each is a row of the ledger."""

import asyncio
import time
from collections.abc import Mapping

from escriba.billing.attempts import Attempt
from escriba.billing.ledger_rows import LedgerRow, ledger_row, row_without_job
from escriba.billing.price_book import total
from escriba.model_names import DEMO_MODEL
from escriba.recording_warnings import RecordingWarning
from escriba.stages import (
    COST_IS_KNOWN,
    COST_METRICS,
    DIARIZED_TRANSCRIPT,
    OPTIMIZED_AUDIO,
    RAW_AUDIO,
    TRANSCRIPT,
)
from intake.made_with import NO_SPEECH, made_with, words_made_with, written_with
from intake.stage_records import (
    CostFacts,
    OptimizedAudioFacts,
    RawAudio,
    TranscriptFacts,
    fingerprint,
    stage_fingerprint,
)
from resources.gpu.job_folder import JobFolder, now

from .diarized_transcript import rendered_fingerprint
from .progress import Checked, StageMade
from .run_context import RecordingContext
from .stage_warnings import warnings_up_to
from .transcript import model_of_transcript, stale_error
from .transcript_jobs import lacks_only_speakers, matches_options


async def cost_metrics(context: RecordingContext) -> StageMade:
    """Each attempt wrote its row as it ended; a recording without any gets a row of its own."""
    since = time.perf_counter()
    raw = context.facts(RAW_AUDIO, RawAudio)
    transcript = context.facts(TRANSCRIPT, TranscriptFacts)
    _check_upstream(context, raw, transcript)
    speakers = [transcript.speakers_job] if transcript.speakers_job else []
    jobs = (transcript.job, *speakers)
    fingerprint = stage_fingerprint(COST_METRICS, *jobs, transcript.own_attempts, raw.etag)
    warnings = await asyncio.to_thread(warnings_up_to, context, COST_METRICS)
    options = await asyncio.to_thread(_options_used, context, raw, transcript, fingerprint)
    reused = await asyncio.to_thread(_is_up_to_date, context, fingerprint, warnings, options)
    if not reused:
        rows = await _ledger_rows(context, transcript)
        facts = _facts(context, raw, transcript, rows).model_copy(
            update={**options, "warnings": warnings}
        )
        seconds = time.perf_counter() - since
        await asyncio.to_thread(context.save, COST_METRICS, fingerprint, facts, {}, seconds)
    return _made(context, transcript, time.perf_counter() - since, reused=reused)


def _made(
    context: RecordingContext, transcript: TranscriptFacts, seconds: float, *, reused: bool
) -> StageMade:
    facts = context.facts(COST_METRICS, CostFacts)
    numbers = {
        "cost_usd": float(facts.cost_usd),
        "audio_seconds": facts.audio_seconds,
        "rtf": facts.rtf,
        "attempts": len(facts.attempt_ids),
    }
    known = not missing_attempts(transcript, facts)
    check = Checked(COST_IS_KNOWN, known, {"attempts": len(facts.attempt_ids)})
    return StageMade(COST_METRICS, reused, seconds, numbers, (check,))


def _is_up_to_date(
    context: RecordingContext,
    fingerprint: str,
    warnings: tuple[RecordingWarning, ...],
    options: Mapping[str, object],
) -> bool:
    if not context.is_up_to_date(COST_METRICS, fingerprint):
        return False
    facts = context.facts(COST_METRICS, CostFacts)
    return facts.warnings == warnings and facts.model_dump(include=set(options)) == options


def _options_used(
    context: RecordingContext, raw: RawAudio, transcript: TranscriptFacts, fingerprint: str
) -> dict[str, object]:
    """The model and the options that the transcript and its files were made with."""
    options = context.options
    file = (raw.channels, raw.audio_streams)
    digest: str | None
    if not transcript.job:
        digest, words = NO_SPEECH, None
    elif matches_options(context, transcript):
        digest, words = made_with(options.job, *file), words_made_with(options.job, *file)
    elif lacks_only_speakers(context, transcript):
        digest = words = words_made_with(options.job, *file)
    else:
        digest, words = _known_digests(context, fingerprint)
    model = model_of_transcript(context, transcript)
    files = context.record(DIARIZED_TRANSCRIPT)  # `_check_upstream` has checked its options
    return {
        "model": model,
        "toy": model == DEMO_MODEL,
        "made_with": digest,
        "words_with": words,
        "own_wishes": options.own.model_dump(mode="json", exclude_none=True),
        "written_with": written_with(options.render_options) if files else None,
    }


def _known_digests(context: RecordingContext, fingerprint: str) -> tuple[str | None, str | None]:
    """The recorded digests of a transcript with other options; None: only its job shows them."""
    record = context.record(COST_METRICS)
    if record is None or record.fingerprint != fingerprint:
        return None, None
    facts = CostFacts.model_validate(record.facts)
    return facts.made_with, facts.words_with


def missing_attempts(transcript: TranscriptFacts, costs: CostFacts) -> set[str]:
    """Attempts of the transcript without a cost: still open, or with a lost record."""
    return set(transcript.own_attempts) - set(costs.attempt_ids)


def _check_upstream(context: RecordingContext, raw: RawAudio, transcript: TranscriptFacts) -> None:
    """This record marks the file as done, so it must not rest on an older file's transcript."""
    if transcript.content_sha256 != raw.sha256:
        raise stale_error(TRANSCRIPT)
    diarized = context.record(DIARIZED_TRANSCRIPT)
    if diarized is not None and diarized.fingerprint != rendered_fingerprint(context, transcript):
        raise stale_error(DIARIZED_TRANSCRIPT)


async def _ledger_rows(context: RecordingContext, transcript: TranscriptFacts) -> list[LedgerRow]:
    """The rows of its attempts, or the one row of a recording without an attempt of its own."""
    rows = await asyncio.to_thread(_attempt_rows, context, transcript)
    if not rows:
        rows = [_row_without_attempt(context, transcript)]
        await context.run_context.ledger.add(rows[0])
    return rows


def _attempt_rows(context: RecordingContext, transcript: TranscriptFacts) -> list[LedgerRow]:
    """The rows of the attempts that this recording started, including failed ones."""
    own = transcript.own_attempts
    jobs = dict.fromkeys(attempt_id.split(":")[1] for attempt_id in own)
    folders = (
        JobFolder(context.run_context.storage, context.recording.tenant, job) for job in jobs
    )
    attempts = (attempt for folder in folders for attempt in folder.attempts())
    return [_row(context, one) for one in attempts if one.end and one.attempt_id in own]


def _row(context: RecordingContext, attempt: Attempt) -> LedgerRow:
    prices = context.run_context.prices
    return ledger_row(attempt, prices.tariff(attempt.backend, attempt.sku, attempt.created_at))


def _row_without_attempt(context: RecordingContext, transcript: TranscriptFacts) -> LedgerRow:
    # without the ETag: the same bytes uploaded again give the same row, and count once
    digest = fingerprint(context.recording.name, transcript.content_sha256)
    return row_without_job(
        attempt_id=f"{context.recording.tenant}:none:{digest}",
        job_id=transcript.job,
        tenant=context.recording.tenant,
        recording=context.recording.name,
        audio_seconds=transcript.audio_ms / 1000,
        speech_seconds=transcript.speech_ms / 1000,
        now=now(),
    )


def _facts(
    context: RecordingContext,
    raw: RawAudio,
    transcript: TranscriptFacts,
    rows: list[LedgerRow],
) -> CostFacts:
    cost = total(row.cost_usd for row in rows)
    audio = context.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    rtfs = [row.rtf for row in rows if row.rtf is not None]
    return CostFacts(
        source_etag=raw.etag,
        attempt_ids=tuple(row.attempt_id for row in rows),
        cost_usd=str(cost),
        audio_seconds=transcript.audio_ms / 1000,
        rtf=rtfs[-1] if rtfs else None,
        model_revision=transcript.model_revision,
        speech_ms=transcript.speech_ms,
        audio_bytes=audio.size_bytes,
        source_channels=raw.channels,
        audio_streams=raw.audio_streams,
    )
