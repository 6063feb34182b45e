"""Backups of Dagster's records and of the settings, their check, and the way back."""
