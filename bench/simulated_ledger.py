"""The simulated fleet's ledger as Parquet, a million attempts in seconds: no row is an object.

`python -m bench.simulated_ledger FOLDER ATTEMPTS [DAYS]` writes the ledger of a bucket in FOLDER.
Each day is made alone (its dice hang on seed and day), so that a year needs little memory.
"""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cli.demo.simulation.days import MachineDay, simulate_day
from cli.demo.simulation.fleet import DOLLARS
from cli.demo.simulation.invoices import SimulatedInvoices
from cli.demo.simulation.names import copy_of, recording_prefix
from cli.demo.simulation.plan import SECOND, SimulationPlan
from cli.demo.simulation.rows import ERRORS, SPEECH_SHARE
from cli.demo.simulation.work import DONE, STATUSES
from escriba.billing.ledger_rows import SCHEMA_VERSION, LedgerRow
from escriba.billing.price_book import read_price_book
from escriba.billing.worker_sessions import SESSION_SCHEMA_VERSION, SessionRow
from escriba.settings import HOUSE
from resources.ledger.tables import ATTEMPTS, INSTANCES, INVOICES, Row, schema

_MEAN_OF_WEEK = 6.5 / 7  # of bench's plan: what weekdays make of recordings_a_day


def plan_of(attempts: int, days: int, seed: int = 7) -> SimulationPlan:
    """About so many attempts in so many days, with the fleet's usual misfortunes."""
    return SimulationPlan(
        seed=seed,
        first_day=date(2025, 9, 1),
        days=days,
        recordings_a_day=attempts / days / _MEAN_OF_WEEK,
        prices=read_price_book(HOUSE / "dbt_costs" / "seeds" / "price_book.csv"),
    )


def attempts_table(plan: SimulationPlan, day: int, number: int, part: MachineDay) -> pa.Table:
    """As `rows.ledger_rows` has them, the copies at the end."""
    whole = _attempts(plan, day, number, part)
    return pa.concat_tables([whole, _copies(whole.take(pa.array(part.twins)))])


def _attempts(plan: SimulationPlan, day: int, number: int, part: MachineDay) -> pa.Table:
    jobs, work, machine = part.jobs, part.jobs.work, part.machine
    known = jobs.known_until - jobs.since
    ordered = jobs.since - part.start
    job = _job(day, number, part)
    tenant = _names([sender.name for sender in plan.senders], work.sender)
    columns = {
        "attempt_id": _joined(tenant, ":", job, ":", part.attempt),
        "job_id": job,
        "attempt": part.attempt,
        "tenant": tenant,
        "recording": _recording(plan, day, number, part),
        "backend": machine.backend,
        "sku": machine.sku,
        "model": machine.model,
        "status": _names(STATUSES, work.status),
        "error_type": _names(ERRORS, work.status),
        "worker": _worker(day, number, part) if not machine.is_api else "",
        "audio_seconds": work.audio / SECOND,
        "speech_seconds": work.audio / SECOND * SPEECH_SHARE,
        "queue_seconds": part.queue / SECOND,
        "start_seconds": part.start / SECOND,
        "run_seconds": known / SECOND,
        "rtf": pa.array(
            (known / SECOND) / (work.audio / SECOND), mask=work.status != DONE, type=pa.float64()
        ),
        "usd_per_hour": _usd(part.usd_nano_an_hour),
        "cost_usd": _usd(part.cost_nano),
        "cost_usd_per_audio_hour": _usd(_per_audio_hour(part.cost_nano, work.audio)),
        "queued_at": _times(plan, ordered - part.queue),
        "started_at": _times(plan, jobs.since),
        "ended_at": _times(plan, jobs.known_until),
        "diarizer": "" if machine.is_api else "pyannote",
        "language": _languages(plan, part),
        "audio_bytes": pa.nulls(len(part.job), pa.int64()),
        "segments": pa.nulls(len(part.job), pa.int32()),
        "spot_usd_per_hour": None,
        "bought_audio_seconds": None,
        "schema_version": SCHEMA_VERSION,
    }
    return _table(LedgerRow, columns, len(part.job))


def _copies(rows: pa.Table) -> pa.Table:
    """`row_without_job` of each."""
    nothing = pa.scalar(0, pa.decimal128(18, 9))
    later = pc.add(rows["ended_at"], pa.scalar(SECOND, pa.duration("us")))
    job = _joined(rows["job_id"], copy_of(""))
    stem = pc.replace_substring(rows["recording"], ".mp3", "")
    changed = {
        "attempt_id": _joined(rows["tenant"], ":", job, ":0"),
        "job_id": job,
        "attempt": 0,
        "recording": _joined(stem, copy_of(".mp3")),
        "status": "none",
        "backend": "none",
        "rtf": pa.nulls(len(rows), pa.float64()),
        "language": pa.nulls(len(rows), pa.string()),
    }
    changed |= dict.fromkeys(("sku", "model", "error_type", "worker", "diarizer"), "")
    changed |= dict.fromkeys(("queue_seconds", "start_seconds", "run_seconds"), 0.0)
    changed |= dict.fromkeys(("usd_per_hour", "cost_usd", "cost_usd_per_audio_hour"), nothing)
    changed |= dict.fromkeys(("queued_at", "started_at", "ended_at"), later)
    same = {name: rows[name] for name in rows.column_names}
    return _table(LedgerRow, same | changed, len(rows))


def sessions_table(plan: SimulationPlan, day: int, number: int, part: MachineDay) -> pa.Table:
    """As `rows.session_rows` has them; empty for an API."""
    jobs, lives, machine = part.jobs, part.lives, part.machine
    if machine.is_api:
        return schema(SessionRow).empty_table()
    worker = _worker(day, number, part)
    session = _joined(machine.backend, ":", worker)
    tenant = _names([sender.name for sender in plan.senders], jobs.work.sender)
    columns = {
        "row_id": _joined(session, ":", jobs.sequence),
        "session_id": session,
        "sequence": jobs.sequence,
        "attempt_id": _joined(tenant, ":", _job(day, number, part), ":", part.attempt),
        "backend": machine.backend,
        "sku": machine.sku,
        "worker": worker,
        "gpu": machine.gpu,
        "container_started_at": _times(plan, lives.seen[jobs.life]),
        "models_ready_at": _times(plan, lives.ready[jobs.life]),
        "job_started_at": _times(plan, jobs.since),
        "job_ended_at": _times(plan, jobs.known_until),
        "idle_timeout_seconds": machine.idle_seconds,
        "usd_per_hour": _usd(part.usd_nano_an_hour),
        "warm_workers": 0,
        **dict.fromkeys(("instance_id", "instance_type", "zone", "is_spot", "is_free")),
        "spot_usd_per_hour": None,
        "schema_version": SESSION_SCHEMA_VERSION,
    }
    return _table(SessionRow, columns, len(part.job))


def _table(kind: type[Row], columns: dict[str, object], length: int) -> pa.Table:
    fields = schema(kind)
    arrays = [_column(columns[field.name], field.type, length) for field in fields]
    return pa.Table.from_arrays(arrays, schema=fields)


def _column(values: object, kind: pa.DataType, length: int) -> pa.Array:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values.cast(kind)
    if isinstance(values, np.ndarray):
        return pa.array(values).cast(kind)
    return pa.repeat(values if isinstance(values, pa.Scalar) else pa.scalar(values, kind), length)


def _joined(*parts: object) -> pa.Array:
    texts = [pa.array(p).cast("string") if isinstance(p, np.ndarray) else p for p in parts]
    return pc.binary_join_element_wise(*texts, "")


def _names(names: "list[str] | tuple[str, ...]", places: np.ndarray) -> pa.Array:
    return pa.array(names).take(pa.array(places))


def _padded(numbers: np.ndarray, width: int) -> pa.Array:
    return pc.utf8_lpad(pa.array(numbers).cast("string"), width, "0")


def _job(day: int, number: int, part: MachineDay) -> pa.Array:
    return _joined(f"{day:05}-{number}-", _padded(part.job, 7))


def _worker(day: int, number: int, part: MachineDay) -> pa.Array:
    return _joined(f"synthetic-{day:05}-{number}-", _padded(part.jobs.life, 6))


def _recording(plan: SimulationPlan, day: int, number: int, part: MachineDay) -> pa.Array:
    prefixes = [recording_prefix(plan, day, number, sender) for sender in range(len(plan.senders))]
    return _joined(_names(prefixes, part.jobs.work.sender), _padded(part.job, 7), ".mp3")


def _languages(plan: SimulationPlan, part: MachineDay) -> pa.Array:
    codes = [lang or None for sender in plan.senders for lang in sender.languages]
    lengths = np.array([len(sender.languages) for sender in plan.senders])
    firsts = np.cumsum(lengths) - lengths
    sender = part.jobs.work.sender
    return _names(codes, firsts[sender] + part.jobs.work.language % lengths[sender])


def _times(plan: SimulationPlan, micros: np.ndarray) -> pa.Array:
    began = int(plan.start.timestamp()) * SECOND
    return pa.array(micros + began).cast(pa.timestamp("us", tz="UTC"))


def _usd(nano: np.ndarray) -> pa.Array:
    """Nano-dollars are DECIMAL(18, 9) with the point put in: the low half of its 128 bits."""
    halves = np.empty((len(nano), 2), np.int64)
    halves[:, 0], halves[:, 1] = nano, nano >> 63
    return pa.Array.from_buffers(
        pa.decimal128(18, 9), len(nano), [None, pa.py_buffer(np.ascontiguousarray(halves))]
    )


def _per_audio_hour(nano: np.ndarray, audio_micros: np.ndarray) -> np.ndarray:
    """Halves to even, in whole milliseconds of audio, so that nothing passes 64 bits."""
    millis = audio_micros // (SECOND // 1_000)
    quotient, rest = np.divmod(nano * 3_600_000, millis)
    return quotient + ((2 * rest > millis) | ((2 * rest == millis) & (quotient % 2 == 1)))


def write_days(plan: SimulationPlan, days: range, bucket: Path) -> int:
    """Attempts and lives of these days, a file for each date and day; the number of attempts."""
    count = 0
    for day in days:
        parts = list(enumerate(simulate_day(plan, day)))
        attempts = pa.concat_tables([attempts_table(plan, day, n, part) for n, part in parts])
        sessions = pa.concat_tables([sessions_table(plan, day, n, part) for n, part in parts])
        _write(bucket, ATTEMPTS, attempts, "started_at", day)
        _write(bucket, INSTANCES, sessions, "job_started_at", day)
        count += len(attempts)
    return count


def write_invoices(plan: SimulationPlan, bucket: Path) -> None:
    """All bills in files by month of their beginning."""
    bills = SimulatedInvoices(plan)
    for day in range(plan.days):
        bills.add(simulate_day(plan, day))
    rows = bills.rows(DOLLARS, datetime.now(UTC))
    table = pa.Table.from_pylist(
        [{name: getattr(row, name) for name in type(row).__slots__} for row in rows],
        schema(type(rows[0])),
    )
    _write(bucket, INVOICES, table, "period_start", 0)


def _write(bucket: Path, folder: str, table: pa.Table, time_column: str, day: int) -> None:
    dates = pc.floor_temporal(table[time_column], unit="day")
    for one in pc.unique(dates):
        place = bucket / folder / f"date={one.as_py():%Y-%m-%d}"
        place.mkdir(parents=True, exist_ok=True)
        name = f"simulated-{day:05}.parquet"
        pq.write_table(table.filter(pc.equal(dates, one)), place / f".{name}")
        (place / f".{name}").rename(place / name)


def write_all(plan: SimulationPlan, bucket: Path, processes: int = 2, leave_out: int = 0) -> int:
    """The whole plan but for its last days, and all bills; the number of attempts."""
    with ProcessPoolExecutor(processes) as pool:
        bills = pool.submit(write_invoices, plan, bucket)
        counts = [
            pool.submit(write_days, plan, days, bucket) for days in _portions(plan.days - leave_out)
        ]
        bills.result()
        return sum(count.result() for count in counts)


def _portions(days: int) -> Iterator[range]:
    for first in range(0, days, 10):
        yield range(first, min(days, first + 10))


def main(folder: str, attempts: str, days: str = "365") -> None:
    began = time.monotonic()
    count = write_all(plan_of(int(attempts), int(days)), Path(folder))
    print(f"{count:,} attempts in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
