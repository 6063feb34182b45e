"""The identity of the light diarizer: its networks, and the rules that interpret their output."""

RULES = 2
"""Raise it whenever `gpu_job/diarize/light` finds other speakers or turns with the same networks.

It is part of a job's identity, so `run --outdated` finds results of older rules.
"""


def voices_identity(networks: str) -> str:
    """The light diarizer's revision in job options; `networks`: the revision in `voices.json`."""
    return f"voices@{networks}+rules-{RULES}"
