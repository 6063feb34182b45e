"""Records of a provider's file: CSV, Parquet, JSON or JSON lines, gzipped or not."""

import csv
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from pipelines.billing.invoices import InvoiceError

Numbered = Iterator[tuple[int, dict[str, Any]]]
_READERS = "a CSV, Parquet, JSON or JSON-lines file, or one of them with .gz"


def records(path: Path) -> Numbered:
    """Each record with its number: the line of a CSV or JSON-lines file, else its place.

    Raises:
        InvoiceError: names the file and the line.
    """
    kind = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    reader = {".csv": _csv, ".parquet": _parquet, ".json": _json, ".jsonl": _json_lines}.get(kind)
    if reader is None:
        raise InvoiceError(f"{path.name}: {kind or 'no suffix'!r} is not known: give {_READERS}.")
    try:
        yield from reader(path)
    except OSError as error:
        raise InvoiceError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise InvoiceError(f"{path.name} is not UTF-8 text.") from error


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield file
    else:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file


def _csv(path: Path) -> Numbered:
    with _opened(path) as file:
        reader = csv.DictReader(file)
        for record in reader:
            if None in record or None in record.values():
                raise InvoiceError(
                    f"{path.name}, line {reader.line_num}: it has not as many fields as the heading"
                )
            yield reader.line_num, record


def _parquet(path: Path) -> Numbered:
    import pyarrow as pa  # noqa: PLC0415  # 0.3 s
    import pyarrow.parquet as pq  # noqa: PLC0415

    if path.suffix == ".gz":
        raise InvoiceError(f"{path.name}: Parquet has a compression of its own; unpack it first.")
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(10_000):
                for record in batch.to_pylist():
                    number += 1
                    yield number, record
    except pa.ArrowException as error:
        raise InvoiceError(f"{path.name} is no sound Parquet file: {error}") from error


def _json(path: Path) -> Numbered:
    """A list, or an object that holds one, as RunPod's API answers; else JSON lines."""
    with _opened(path) as file:
        text = file.read()
    try:
        said = json.loads(text, parse_float=str)
    except json.JSONDecodeError:
        yield from _json_lines(path)
        return
    found = said.get("records", [said]) if isinstance(said, dict) else said
    if not isinstance(found, list):
        raise InvoiceError(f"{path.name} holds no list of records.")
    for number, record in enumerate(found, 1):
        yield number, _object(path, number, record)


def _json_lines(path: Path) -> Numbered:
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line, parse_float=str)
            except json.JSONDecodeError as error:
                raise InvoiceError(f"{path.name}, line {number}: no JSON: {error.msg}") from error
            yield number, _object(path, number, record)


def _object(path: Path, number: int, record: Any) -> dict[str, Any]:  # noqa: ANN401  # what JSON can say
    if not isinstance(record, dict):
        raise InvoiceError(f"{path.name}, line {number}: an object is needed, not {record!r}")
    return record
