"""Dagster's home folder, with a dagster.yaml that Escriba updates until it is edited."""

import hashlib
import os
from pathlib import Path
from secrets import token_hex

from escriba.settings import Settings, SettingsError

_FIRST_LINE = "# Written by escriba ({digest}). Once you edit it, Escriba never overwrites it.\n"
# earlier versions wrote this line; their unedited files are still updated
_OLD_FIRST_LINE = "# Written by escriba ({digest}); edit it, and it is never written again.\n"
_BODY = """\
telemetry:
  enabled: false
nux:
  enabled: false  # the dialog on the first visit

concurrency:
  runs:
    max_concurrent_runs: 4  # a run is one process of 100 MB, for any number of recordings
    tag_concurrency_limits:
      - key: dagster/backfill  # a scattered selection in the UI starts one run for each key
        limit: 2

run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  cancel_timeout_seconds: 120
  max_runtime_seconds: 172800  # two days: a run waits for its slowest recording

run_retries:
  enabled: true
  max_retries: 3  # after a run's process died; completed stages are skipped
  retry_on_asset_or_op_failure: false  # one bad file must not rerun 500 others

freshness:
  enabled: true

retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 2
      failure: 30
      success: 30
      started: -1
"""
_POSTGRES = """
storage:
  postgres:
    postgres_url:
      env: DAGSTER_POSTGRES_URL
"""


def dagster_home(settings: Settings) -> Path:
    """Return the folder, created on first use; update its dagster.yaml unless it was edited.

    Raises:
        SettingsError: the folder cannot be created.
    """
    _export_postgres_url(settings)
    home = settings.dagster_home
    path = home / "dagster.yaml"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.exists() or is_unedited(path.read_text(encoding="utf-8", errors="replace")):
            _write(path, dagster_yaml(settings))
    except OSError as error:
        raise SettingsError(
            f"DAGSTER_HOME: cannot create {home}: {error.strerror}. Choose a writable folder."
        ) from error
    return home


def dagster_yaml(settings: Settings) -> str:
    """Return the file's text; its first line holds a digest of the rest."""
    body = _BODY + (_POSTGRES if settings.dagster_postgres_url.get_secret_value() else "")
    return _FIRST_LINE.format(digest=_digest(body)) + body


def is_unedited(text: str) -> bool:
    """Return whether the file is as some version of Escriba wrote it."""
    first, _, body = text.partition("\n")
    lines = (_FIRST_LINE, _OLD_FIRST_LINE)
    return first + "\n" in {line.format(digest=_digest(body)) for line in lines}


def _export_postgres_url(settings: Settings) -> None:
    """Set the variable that dagster.yaml names, since Dagster does not read .env."""
    url = settings.dagster_postgres_url.get_secret_value()
    if url:
        os.environ["DAGSTER_POSTGRES_URL"] = url


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") == text:
        return
    draft = path.with_suffix(f".{token_hex(4)}")  # two processes may do this concurrently
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:12]
