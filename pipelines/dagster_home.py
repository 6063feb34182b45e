"""Dagster's own folder, with a dagster.yaml that is ours until somebody edits it."""

import hashlib
import os
from pathlib import Path
from secrets import token_hex

from .settings import Settings, SettingsError

_FIRST_LINE = "# Written by escriba ({digest}); edit it, and it is never written again.\n"
_BODY = """\
telemetry:
  enabled: false
nux:
  enabled: false  # the dialog that covers the page at the first visit

concurrency:
  runs:
    max_concurrent_runs: 4  # a run is one process of 100 MB, however many recordings it has
    tag_concurrency_limits:
      - key: dagster/backfill  # a scattered choice in the UI is a run for each key
        limit: 2

run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  cancel_timeout_seconds: 120
  max_runtime_seconds: 172800  # two days; a run waits for its slowest recording

run_retries:
  enabled: true
  max_retries: 3  # of a run whose process died; what is done is not done again
  retry_on_asset_or_op_failure: false  # one bad file must not run 500 others again

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
    """The folder, made on first use, with a dagster.yaml that nobody has edited or somebody has.

    Raises:
        SettingsError: it cannot be made, or what somebody edited contradicts the settings.
    """
    _export_postgres_url(settings)
    home = settings.dagster_home
    path = home / "dagster.yaml"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.exists() or is_ours(path.read_text(encoding="utf-8", errors="replace")):
            _write(path, dagster_yaml(settings))
    except OSError as error:
        raise SettingsError(f"DAGSTER_HOME: {home} cannot be made: {error.strerror}") from error
    return home


def dagster_yaml(settings: Settings) -> str:
    """The file: its first line vouches for the rest."""
    body = _BODY + (_POSTGRES if settings.dagster_postgres_url.get_secret_value() else "")
    return _FIRST_LINE.format(digest=_digest(body)) + body


def is_ours(text: str) -> bool:
    """Whether nobody has touched it since a version of Escriba wrote it."""
    first, _, body = text.partition("\n")
    return first + "\n" == _FIRST_LINE.format(digest=_digest(body))


def _export_postgres_url(settings: Settings) -> None:
    """dagster.yaml names the variable, and Dagster reads no .env."""
    url = settings.dagster_postgres_url.get_secret_value()
    if url:
        os.environ["DAGSTER_POSTGRES_URL"] = url


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") == text:
        return
    draft = path.with_suffix(f".{token_hex(4)}")  # two processes may do this at once
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:12]
