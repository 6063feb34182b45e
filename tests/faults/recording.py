"""The recording of the fault suite, and how long its computation takes."""

AUDIO_MS, REGION_MS = 2_000, 1_000
WORK_SECONDS = 90.0
HEARS_SECONDS = WORK_SECONDS * REGION_MS / AUDIO_MS  # of a region; a step takes 60 s at most
