"""The audio of the ledger's attempts, by the rule of dbt_costs/macros/audio.sql for the marts."""

from escriba.billing.quotes import speakers_model

# hours of audio count with the words: a job that only finds speakers adds cost, and no audio
AUDIO_SECONDS = (
    f"CASE WHEN starts_with(model, '{speakers_model('')}') THEN 0 ELSE audio_seconds END"
)
