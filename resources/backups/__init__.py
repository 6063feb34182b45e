"""Copies of Dagster's records: PostgreSQL by its own tools, SQLite by its backup API."""
