"""Backends that hand whole manifests to machines of a cloud's batch service."""
