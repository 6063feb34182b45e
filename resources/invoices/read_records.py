"""Reading the records of a provider's file: CSV, Parquet, JSON or JSON lines, gzipped or not."""

import csv
import gzip
import json
import reprlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from escriba.billing.invoice_rows import InvoiceError

Numbered = Iterator[tuple[int, dict[str, Any]]]
_READERS = "a CSV, Parquet, JSON or JSON-lines file, or one of them with .gz"
_FIELD = 16_000_000  # characters; the tags of a line can exceed the 131,072 of Python's csv


def records(path: Path) -> Numbered:
    """Each record with its number: the line of a CSV or JSON-lines file, else its position.

    Raises:
        InvoiceError: names the file, and the line if it has lines.
    """
    kind = Path(path.stem).suffix if _is_packed(path) else path.suffix
    readers = {".csv": _csv, ".parquet": _parquet, ".json": _json, ".jsonl": _json_lines}
    reader = readers.get(kind.lower())
    if reader is None:
        raise InvoiceError(f"{path.name}: unknown format {kind or 'no suffix'!r}. Give {_READERS}.")
    try:
        yield from reader(path)
    except OSError as error:
        raise InvoiceError(f"{path.name} cannot be read: {error.strerror or error}.") from error


def _is_packed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


class _Lines:
    """The lines of a text file. number: of the current or the last line."""

    def __init__(self, file: TextIO) -> None:
        self._file, self.number = file, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number += 1
        try:
            return next(self._file)
        except StopIteration:
            self.number -= 1
            raise


@contextmanager
def _opened(path: Path) -> Iterator[_Lines]:
    """Open a text file; errors in the file or its text name the line."""
    opener = gzip.open if _is_packed(path) else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        lines = _Lines(file)
        try:
            yield lines
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _wrong(
                path, lines.number, f"the file is damaged or cut off here ({error})"
            ) from error
        except UnicodeDecodeError as error:
            raise _wrong(
                path, lines.number, "this, or what comes after it, is not UTF-8 text"
            ) from error
        except csv.Error as error:
            raise _wrong(path, lines.number, f"it is not CSV: {error}") from error


def _wrong(path: Path, number: int, what: str) -> InvoiceError:
    return InvoiceError(f"{path.name}, line {number}: {what}.")


def _csv(path: Path) -> Numbered:
    with _long_fields(), _opened(path) as lines:
        reader = csv.DictReader(lines, strict=True)
        for record in reader:
            if None in record or None in record.values():
                raise _wrong(path, reader.line_num, "its number of fields differs from the header")
            yield reader.line_num, record


@contextmanager
def _long_fields() -> Iterator[None]:
    before = csv.field_size_limit(_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _parquet(path: Path) -> Numbered:
    import pyarrow as pa  # noqa: PLC0415  # 0.3 s
    import pyarrow.parquet as pq  # noqa: PLC0415

    if _is_packed(path):
        raise InvoiceError(f"{path.name}: gzipped Parquet is not supported. Unpack it first.")
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(10_000):
                for record in batch.to_pylist():
                    number += 1
                    yield number, record
    # a time that Python cannot represent raises ValueError or OverflowError
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise _wrong(path, number + 1, f"this is not a valid Parquet file: {error}") from error


def _json(path: Path) -> Numbered:
    """A list, or an object with a list, as in RunPod's answers; otherwise JSON lines."""
    with _opened(path) as lines:
        text = "".join(lines)
    if not text.strip():
        return
    try:
        parsed = _parsed(path, 1, text)
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Extra data"):  # a complete first line, and more
            raise _wrong(path, error.lineno, f"it is not JSON: {error.msg}") from error
        yield from _json_lines(path)
        return
    found = parsed.get("records", [parsed]) if isinstance(parsed, dict) else parsed
    if not isinstance(found, list):
        raise InvoiceError(f"{path.name} does not contain a list of records.")
    for number, record in enumerate(found, 1):
        yield number, _object(path, number, record)


def _json_lines(path: Path) -> Numbered:
    with _opened(path) as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                record = _parsed(path, lines.number, line)
            except json.JSONDecodeError as error:
                raise _wrong(path, lines.number, f"it is not JSON: {error.msg}") from error
            yield lines.number, _object(path, lines.number, record)


def _parsed(path: Path, number: int, text: str) -> Any:  # noqa: ANN401  # whatever JSON can say
    """Keep numbers as text: none is rounded, and none is too long for Python."""
    try:
        return json.loads(text, parse_float=str, parse_int=str)
    except RecursionError as error:
        raise _wrong(path, number, "it is nested too deeply") from error


def _object(path: Path, number: int, record: Any) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(record, dict):
        raise _wrong(path, number, f"an object is needed, not {reprlib.repr(record)}")
    return record
