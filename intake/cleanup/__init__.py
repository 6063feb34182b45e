"""Deletes whatever has passed its age, and nothing that something else still needs."""
