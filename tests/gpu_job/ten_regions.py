"""A recording of ten short regions, and a fault in the middle of it."""

from gpu_job.contract import SpeechRegion

REGIONS = tuple(SpeechRegion(start_ms=at, end_ms=at + 80) for at in range(0, 1000, 100))


def after(regions, reason="preempted"):
    """Somebody says stop when so many are heard."""
    return lambda fake, stop: len(fake.heard) == regions and stop.request(reason)
