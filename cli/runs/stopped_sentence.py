"""The last line of a run that did not reach its end."""

from .run_recordings import RunResult


def stopped_sentence(ran: RunResult) -> str:
    """How far a run came that did not reach its end."""
    done = sum(one.failed is None for one in ran.outcomes)
    failed = sum(one.failed is not None and not one.is_deferred for one in ran.outcomes)
    failures = f" and {failed:,} failed" if failed else ""
    how = "Stopped" if ran.is_interrupted else f"The run broke ({ran.broken_by.rstrip('.')})"
    return (
        f"{how}: {done:,} of {ran.asked:,} recordings done{failures}; completed work is kept, and "
        "the next `escriba run` continues."
    )
