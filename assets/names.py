"""The five assets of a recording, in their order."""

RAW_AUDIO = "raw_audio"
OPTIMIZED_AUDIO = "optimized_audio"
TRANSCRIPT = "transcript"
DIARIZED_TRANSCRIPT = "diarized_transcript"
COST_METRICS = "cost_metrics"

STAGES = (RAW_AUDIO, OPTIMIZED_AUDIO, TRANSCRIPT, DIARIZED_TRANSCRIPT, COST_METRICS)
