"""A simulated day as the ledger rows that Escriba would write."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from escriba.billing.ledger_rows import LedgerRow, per_audio_hour, row_without_job
from escriba.billing.worker_sessions import SessionRow

from .days import MachineDay
from .names import attempt_name, copy_of, job_name, recording_name, session_name, worker_name
from .plan import SECOND, SimulationPlan, moment
from .work import DONE, STATUSES

ERRORS = ("", "cannot_decode", "interrupted", "lost")  # by status
SPEECH_SHARE = 0.8


def usd(nano: float) -> Decimal:
    """Nano-dollars as USD."""
    return Decimal(round(nano)).scaleb(-9)


def ledger_rows(
    plan: SimulationPlan, day: int, number: int, part: MachineDay
) -> Iterator[LedgerRow]:
    """The rows of each attempt, and of each duplicate, which needs no job."""
    for place in range(len(part.job)):
        yield _row(plan, day, number, part, place)
    for place in part.twins:
        yield _copy(_row(plan, day, number, part, int(place)))


def _row(plan: SimulationPlan, day: int, number: int, part: MachineDay, place: int) -> LedgerRow:
    jobs, machine = part.jobs, part.machine
    sender, status = int(jobs.work.sender[place]), int(jobs.work.status[place])
    job, attempt = int(part.job[place]), int(part.attempt[place])
    audio = int(jobs.work.audio[place]) / SECOND
    run = int(jobs.known_until[place] - jobs.since[place]) / SECOND
    ordered = int(jobs.since[place] - part.start[place])
    spoken = plan.senders[sender].languages
    name, cost = job_name(day, number, job), usd(int(part.cost_nano[place]))
    return LedgerRow(
        attempt_id=attempt_name(sender, name, attempt, plan),
        job_id=name,
        attempt=attempt,
        tenant=plan.senders[sender].name,
        recording=recording_name(plan, day, number, sender, job),
        backend=machine.backend,
        sku=machine.sku,
        model=machine.model,
        status=STATUSES[status],  # type: ignore[arg-type]  # one of the literals
        error_type=ERRORS[status],
        worker=worker_name(day, number, int(jobs.life[place])) if not machine.is_api else "",
        audio_seconds=audio,
        speech_seconds=audio * SPEECH_SHARE,
        queue_seconds=int(part.queue[place]) / SECOND,
        start_seconds=int(part.start[place]) / SECOND,
        run_seconds=run,
        rtf=run / audio if status == DONE else None,
        usd_per_hour=usd(int(part.usd_nano_an_hour[place])),
        cost_usd=cost,
        cost_usd_per_audio_hour=per_audio_hour(cost, audio),
        queued_at=moment(plan, ordered - int(part.queue[place])),
        started_at=moment(plan, int(jobs.since[place])),
        ended_at=moment(plan, int(jobs.known_until[place])),
        diarizer="" if machine.is_api else "pyannote",
        language=spoken[int(jobs.work.language[place]) % len(spoken)] or None,
    )


def _copy(row: LedgerRow) -> LedgerRow:
    job = copy_of(row.job_id)
    return row_without_job(
        attempt_id=f"{row.tenant}:{job}:0",
        job_id=job,
        tenant=row.tenant,
        recording=copy_of(row.recording),
        audio_seconds=row.audio_seconds,
        speech_seconds=row.speech_seconds,
        now=row.ended_at + timedelta(seconds=1),
    )


def session_rows(
    plan: SimulationPlan, day: int, number: int, part: MachineDay
) -> Iterator[SessionRow]:
    """The session rows of each job in a worker's life."""
    machine, jobs, lives = part.machine, part.jobs, part.lives
    for place in range(0 if machine.is_api else len(part.job)):
        sender, life = int(jobs.work.sender[place]), int(jobs.life[place])
        name = job_name(day, number, int(part.job[place]))
        session, sequence = session_name(plan, day, number, life), int(jobs.sequence[place])
        yield SessionRow(
            row_id=f"{session}:{sequence}",
            session_id=session,
            sequence=sequence,
            attempt_id=attempt_name(sender, name, int(part.attempt[place]), plan),
            backend=machine.backend,
            sku=machine.sku,
            worker=worker_name(day, number, life),
            gpu=machine.gpu,
            container_started_at=moment(plan, int(lives.seen[life])),
            models_ready_at=moment(plan, int(lives.ready[life])),
            job_started_at=moment(plan, int(jobs.since[place])),
            job_ended_at=moment(plan, int(jobs.known_until[place])),
            idle_timeout_seconds=machine.idle_seconds,
            usd_per_hour=usd(int(part.usd_nano_an_hour[place])),
            warm_workers=0,
        )
