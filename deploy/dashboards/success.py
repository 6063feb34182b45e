"""What counts as success, and of how many attempts."""

from typing import Final

OF_BACKEND: Final = 'backend=~"$backend"'  # the dashboards' variable
ENDED: Final = 'status=~"done|failed|lost|buried"'  # who stops an attempt judges no backend


def success(window: str, by: str = "") -> str:
    """The part of ended attempts that succeeded, where any ended. by: such as `by (backend)`."""
    done = f'sum {by} (increase(transcription_jobs_total{{{OF_BACKEND}, status="done"}}[{window}]))'
    ended = f"sum {by} (increase(transcription_jobs_total{{{OF_BACKEND}, {ENDED}}}[{window}]))"
    return f"{done} / ({ended} > 0)"
