"""What an hour of audio costs, on both dashboards."""

from typing import Final

from deploy.dashboards import panels as p
from deploy.dashboards.success import OF_BACKEND

PLANNED_USD: Final = 0.12  # per hour of audio, on average


def per_audio_hour() -> p.Made:
    """The cost by backend over time."""
    usd = f"max by (backend) (transcription_cost_per_audio_hour{{{OF_BACKEND}}})"
    about = "Cost of all attempts per hour of transcribed audio, over 30 days. 0.12 is planned."
    panel = p.lines("Cost per audio hour", about, p.USD, p.query(usd, "{{backend}}"))
    return p.limited(panel, PLANNED_USD).span(p.THIRD)
