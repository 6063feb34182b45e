"""What the same audio would cost elsewhere, before anything is measured there."""

from datetime import datetime
from decimal import Decimal

from .attempts import cost_usd
from .prices import PriceBook

# real-time factors to plan with before there are measured ones
PLANNED_RTF = {"runpod": Decimal("0.2"), "aws_gpu": Decimal("0.2"), "gcp_gpu": Decimal("0.2")}
PLANNED_RTF_DIARIZATION = Decimal("0.1")


def on_runpod_l4(
    book: PriceBook, audio_seconds: float, when: datetime, *, diarized: bool
) -> Decimal:
    """USD for this audio on a RunPod L4 at the planned real-time factor, without cold start."""
    rtf = PLANNED_RTF["runpod"] + (PLANNED_RTF_DIARIZATION if diarized else 0)
    seconds = float(Decimal(repr(audio_seconds)) * rtf)
    price = book.at("runpod", "l4", when)
    return cost_usd(price, run_seconds=seconds, audio_seconds=audio_seconds)
